//! Requests: what remains of a client's operation once it was checked. A [`Request`] covers whole sectors inside the
//! volume, or it does not exist.

use keywrap::geometry::Lba;

use crate::disk::{Command, Geometry, Io, IoError};
use crate::limits::MAX_TRANSFER;

/// A checked operation on a run of whole sectors inside a volume. Copies freely; the payload travels beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    command: Command,
    first: Lba,
    sectors: u64,
}

const _: () = assert!(size_of::<Request>() <= 24);

/// Why an operation is not a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Some byte of the range lies beyond the end.
    #[error("{len} bytes at {offset} reach beyond the end of the disk at {end}")]
    OutOfRange {
        /// First byte asked for.
        offset: u64,
        /// How many bytes.
        len: u64,
        /// The disk's length in bytes.
        end: u64,
    },
    /// A read or write is longer than [`MAX_TRANSFER`].
    #[error("{0} bytes are more than one read or write may have ({MAX_TRANSFER})")]
    TooLong(u64),
    /// The payload of a read or write is not as long as its range, or another command has one.
    #[error("the buffer has {buf} bytes for a payload of {payload}")]
    BufferLength {
        /// Length of the buffer in bytes.
        buf: usize,
        /// Length of the payload that the command has, in bytes.
        payload: u64,
    },
    /// The range does not start and end at sector boundaries.
    #[error("{len} bytes at {offset} are not whole sectors of {sector} bytes")]
    Unaligned {
        /// First byte asked for.
        offset: u64,
        /// How many bytes.
        len: u64,
        /// Sector size in bytes.
        sector: u32,
    },
    /// A change was asked of a read-only disk.
    #[error("the disk is read-only")]
    ReadOnly,
}

impl From<RequestError> for IoError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::OutOfRange { .. } | RequestError::BufferLength { .. } => Self::OutOfRange,
            RequestError::TooLong(_) => Self::TooLong,
            RequestError::Unaligned { .. } => Self::Unaligned,
            RequestError::ReadOnly => Self::ReadOnly,
        }
    }
}

impl Request {
    /// The request that `io` is, when it covers whole sectors.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn parse(io: &Io, geometry: &Geometry) -> Result<Self, RequestError> {
        let covering = Self::covering(io, geometry)?;
        let (offset, len) = range(io);
        if (covering.offset(geometry), covering.len(geometry)) != (offset, len) {
            let sector = geometry.sector_size.bytes();
            return Err(RequestError::Unaligned { offset, len, sector });
        }
        Ok(covering)
    }

    /// The smallest request that covers every byte of `io`.
    ///
    /// # Errors
    /// See [`RequestError`]; never [`RequestError::Unaligned`].
    pub fn covering(io: &Io, geometry: &Geometry) -> Result<Self, RequestError> {
        check_permission(io.command, geometry)?;
        check_payload(io)?;
        let shift = geometry.sector_size.shift();
        let (offset, len) = range(io);
        let out_of_range = RequestError::OutOfRange { offset, len, end: geometry.len.0 };
        let end = offset.checked_add(len).filter(|end| *end <= geometry.len.0).ok_or(out_of_range)?;
        let first = offset >> shift;
        let sectors = if len == 0 { 0 } else { end.div_ceil(1 << shift) - first };
        Ok(Self { command: io.command, first: Lba(first), sectors })
    }

    /// What to do.
    #[must_use]
    pub fn command(&self) -> Command {
        self.command
    }

    /// The first sector.
    #[must_use]
    pub fn first(&self) -> Lba {
        self.first
    }

    /// How many sectors; 0 for a flush.
    #[must_use]
    pub fn sectors(&self) -> u64 {
        self.sectors
    }

    /// The first byte, counted from the start of the volume.
    #[must_use]
    pub fn offset(&self, geometry: &Geometry) -> u64 {
        self.first.0 << geometry.sector_size.shift()
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self, geometry: &Geometry) -> u64 {
        self.sectors << geometry.sector_size.shift()
    }

    /// Whether it covers no sector at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sectors == 0
    }
}

/// Offset and length in bytes; a flush has none, whatever it says.
fn range(io: &Io) -> (u64, u64) {
    if io.command == Command::Flush { (0, 0) } else { (io.offset, io.len) }
}

fn check_permission(command: Command, geometry: &Geometry) -> Result<(), RequestError> {
    let changes = matches!(command, Command::Write { .. } | Command::WriteZeroes { .. } | Command::Trim { .. });
    if changes && geometry.read_only { Err(RequestError::ReadOnly) } else { Ok(()) }
}

fn check_payload(io: &Io) -> Result<(), RequestError> {
    let payload = match io.command {
        Command::Read | Command::Write { .. } => io.len,
        _ => 0,
    };
    if payload > u64::from(MAX_TRANSFER) {
        return Err(RequestError::TooLong(payload));
    }
    if io.buf.len() as u64 != payload {
        return Err(RequestError::BufferLength { buf: io.buf.len(), payload });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use keywrap::geometry::{ByteLen, SectorSize};
    use proptest::prelude::*;

    use super::*;
    use crate::buf::Buf;

    const DISK: Geometry =
        Geometry { len: ByteLen(10 * 4096), sector_size: SectorSize::B4096, read_only: false, discards: true };

    fn io(command: Command, offset: u64, len: u64) -> Io {
        let payload = matches!(command, Command::Read | Command::Write { .. });
        let buf = Buf::zeroed(if payload { usize::try_from(len).unwrap() } else { 0 });
        Io { command, offset, len, buf }
    }

    #[test]
    fn whole_sectors_inside_the_disk_are_a_request() {
        let request = Request::parse(&io(Command::Read, 4096, 8192), &DISK).unwrap();
        assert_eq!((request.first(), request.sectors()), (Lba(1), 2));
        assert_eq!((request.offset(&DISK), request.len(&DISK)), (4096, 8192));
    }

    #[test]
    fn a_partial_sector_is_refused_and_its_covering_request_is_the_smallest() {
        let partial = io(Command::Write { fua: false }, 4095, 2);
        let refused = RequestError::Unaligned { offset: 4095, len: 2, sector: 4096 };
        assert_eq!(Request::parse(&partial, &DISK), Err(refused));
        let covering = Request::covering(&partial, &DISK).unwrap();
        assert_eq!((covering.first(), covering.sectors()), (Lba(0), 2));
    }

    #[test]
    fn a_range_beyond_the_end_is_refused_even_when_its_end_overflows() {
        for (offset, len) in [(40960, 1), (36864, 4097), (u64::MAX, 1), (1, u64::MAX)] {
            let refused = RequestError::OutOfRange { offset, len, end: 40960 };
            assert_eq!(Request::parse(&io(Command::Trim { fua: false }, offset, len), &DISK), Err(refused));
        }
    }

    #[test]
    fn a_payload_of_the_wrong_length_is_refused() {
        let wrong = Io { buf: Buf::zeroed(512), ..io(Command::Read, 0, 4096) };
        assert_eq!(Request::parse(&wrong, &DISK), Err(RequestError::BufferLength { buf: 512, payload: 4096 }));
        let unwanted = Io { buf: Buf::zeroed(512), ..io(Command::Flush, 0, 0) };
        assert_eq!(Request::parse(&unwanted, &DISK), Err(RequestError::BufferLength { buf: 512, payload: 0 }));
    }

    #[test]
    fn a_transfer_longer_than_the_limit_is_refused_and_a_trim_of_that_length_is_not() {
        let huge = Geometry { len: ByteLen(1 << 40), ..DISK };
        let len = u64::from(MAX_TRANSFER) + 4096;
        let read = Io { command: Command::Read, offset: 0, len, buf: Buf::zeroed(0) };
        assert_eq!(Request::parse(&read, &huge), Err(RequestError::TooLong(len)));
        assert!(Request::parse(&io(Command::WriteZeroes { fua: true }, 0, len), &huge).is_ok());
    }

    #[test]
    fn a_read_only_disk_refuses_changes_and_allows_the_rest() {
        let disk = Geometry { read_only: true, ..DISK };
        for command in
            [Command::Write { fua: false }, Command::WriteZeroes { fua: false }, Command::Trim { fua: false }]
        {
            assert_eq!(Request::parse(&io(command, 0, 4096), &disk), Err(RequestError::ReadOnly));
        }
        for command in [Command::Read, Command::Flush, Command::Cache] {
            assert!(Request::parse(&io(command, 0, 4096), &disk).is_ok());
        }
    }

    #[test]
    fn a_flush_covers_nothing_whatever_its_range_says() {
        assert!(Request::parse(&io(Command::Flush, 77, 0), &DISK).unwrap().is_empty());
    }

    proptest! {
        /// Against arithmetic that cannot overflow: covered exactly, and by no sector too many.
        #[test]
        fn a_range_has_a_covering_request_exactly_when_it_fits(
            offset in prop_oneof![0..50_000u64, any::<u64>()],
            len in prop_oneof![0..50_000u64, any::<u64>()],
        ) {
            let covering = Request::covering(&io(Command::Trim { fua: false }, offset, len), &DISK);
            let end = u128::from(offset) + u128::from(len);
            prop_assert_eq!(covering.is_ok(), end <= u128::from(DISK.len.0));
            if let Ok(request) = covering {
                let (first, past) = (request.offset(&DISK), request.offset(&DISK) + request.len(&DISK));
                prop_assert!(len == 0 || (first <= offset && offset - first < 4096));
                prop_assert!(len == 0 || (end <= past.into() && u128::from(past) - end < 4096));
                prop_assert_eq!(request.is_empty(), len == 0);
            }
        }
    }
}
