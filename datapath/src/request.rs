//! Requests: what remains of a client's operation once it was checked. A [`Request`] covers whole sectors inside the
//! volume, or it does not exist.

use keywrap::geometry::Lba;

use crate::disk::{Command, Geometry, IoError};
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
            RequestError::OutOfRange { .. } => Self::OutOfRange,
            RequestError::TooLong(_) => Self::TooLong,
            RequestError::Unaligned { .. } => Self::Unaligned,
            RequestError::ReadOnly => Self::ReadOnly,
        }
    }
}

impl Request {
    /// The request for `len` bytes from byte `offset`, when they are whole sectors. A flush has no range, whatever is
    /// said.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn parse(command: Command, offset: u64, len: u64, geometry: &Geometry) -> Result<Self, RequestError> {
        let covering = Self::covering(command, offset, len, geometry)?;
        let (offset, len) = range(command, offset, len);
        if (covering.offset(geometry), covering.len(geometry)) != (offset, len) {
            let sector = geometry.sector_size.bytes();
            return Err(RequestError::Unaligned { offset, len, sector });
        }
        Ok(covering)
    }

    /// The smallest request that covers every one of `len` bytes from byte `offset`.
    ///
    /// # Errors
    /// See [`RequestError`]; never [`RequestError::Unaligned`].
    pub fn covering(command: Command, offset: u64, len: u64, geometry: &Geometry) -> Result<Self, RequestError> {
        check_permission(command, geometry)?;
        check_length(command, len)?;
        let shift = geometry.sector_size.shift();
        let (offset, len) = range(command, offset, len);
        let out_of_range = RequestError::OutOfRange { offset, len, end: geometry.len.0 };
        let end = offset.checked_add(len).filter(|end| *end <= geometry.len.0).ok_or(out_of_range)?;
        let first = offset >> shift;
        let sectors = if len == 0 { 0 } else { end.div_ceil(1 << shift) - first };
        Ok(Self { command, first: Lba(first), sectors })
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
fn range(command: Command, offset: u64, len: u64) -> (u64, u64) {
    if command == Command::Flush { (0, 0) } else { (offset, len) }
}

fn check_permission(command: Command, geometry: &Geometry) -> Result<(), RequestError> {
    let changes = matches!(command, Command::Write { .. } | Command::WriteZeroes { .. } | Command::Trim { .. });
    if changes && geometry.read_only { Err(RequestError::ReadOnly) } else { Ok(()) }
}

fn check_length(command: Command, len: u64) -> Result<(), RequestError> {
    let transfers = matches!(command, Command::Read | Command::Write { .. });
    if transfers && len > u64::from(MAX_TRANSFER) { Err(RequestError::TooLong(len)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use keywrap::geometry::{ByteLen, SectorSize};
    use proptest::prelude::*;

    use super::*;

    const DISK: Geometry =
        Geometry { len: ByteLen(10 * 4096), sector_size: SectorSize::B4096, read_only: false, discards: true };

    #[test]
    fn whole_sectors_inside_the_disk_are_a_request() {
        let request = Request::parse(Command::Read, 4096, 8192, &DISK).unwrap();
        assert_eq!((request.first(), request.sectors()), (Lba(1), 2));
        assert_eq!((request.offset(&DISK), request.len(&DISK)), (4096, 8192));
    }

    #[test]
    fn a_partial_sector_is_refused_and_its_covering_request_is_the_smallest() {
        let partial = Command::Write { fua: false };
        let refused = RequestError::Unaligned { offset: 4095, len: 2, sector: 4096 };
        assert_eq!(Request::parse(partial, 4095, 2, &DISK), Err(refused));
        let covering = Request::covering(partial, 4095, 2, &DISK).unwrap();
        assert_eq!((covering.first(), covering.sectors()), (Lba(0), 2));
    }

    #[test]
    fn a_range_beyond_the_end_is_refused_even_when_its_end_overflows() {
        for (offset, len) in [(40960, 1), (36864, 4097), (u64::MAX, 1), (1, u64::MAX)] {
            let refused = RequestError::OutOfRange { offset, len, end: 40960 };
            assert_eq!(Request::parse(Command::Trim { fua: false }, offset, len, &DISK), Err(refused));
        }
    }

    #[test]
    fn a_transfer_longer_than_the_limit_is_refused_and_a_trim_of_that_length_is_not() {
        let huge = Geometry { len: ByteLen(1 << 40), ..DISK };
        let len = u64::from(MAX_TRANSFER) + 4096;
        assert_eq!(Request::parse(Command::Read, 0, len, &huge), Err(RequestError::TooLong(len)));
        assert!(Request::parse(Command::WriteZeroes { fua: true }, 0, len, &huge).is_ok());
    }

    #[test]
    fn a_read_only_disk_refuses_changes_and_allows_the_rest() {
        let disk = Geometry { read_only: true, ..DISK };
        for command in
            [Command::Write { fua: false }, Command::WriteZeroes { fua: false }, Command::Trim { fua: false }]
        {
            assert_eq!(Request::parse(command, 0, 4096, &disk), Err(RequestError::ReadOnly));
        }
        for command in [Command::Read, Command::Flush, Command::Cache] {
            assert!(Request::parse(command, 0, 4096, &disk).is_ok());
        }
    }

    #[test]
    fn a_flush_covers_nothing_whatever_its_range_says() {
        assert!(Request::parse(Command::Flush, 77, 0, &DISK).unwrap().is_empty());
    }

    proptest! {
        /// Against arithmetic that cannot overflow: covered exactly, and by no sector too many.
        #[test]
        fn a_range_has_a_covering_request_exactly_when_it_fits(
            offset in prop_oneof![0..50_000u64, any::<u64>()],
            len in prop_oneof![0..50_000u64, any::<u64>()],
        ) {
            let covering = Request::covering(Command::Trim { fua: false }, offset, len, &DISK);
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
