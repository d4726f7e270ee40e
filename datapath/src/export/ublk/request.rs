//! A request as the kernel describes it, checked.

use std::io;

use rustix::io::Errno;

use super::abi::{SECTOR, operation};
use crate::disk::{Geometry, IoError};
use crate::ring::ublk::Descriptor;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Read,
    Write { fua: bool },
    Flush,
    Trim { fua: bool },
    WriteZeroes { fua: bool },
}

/// A request, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) action: Action,
    pub(super) offset: u64,
    pub(super) len: u64,
}

impl Request {
    /// Takes a description; `max_transfer` is the longest read or write that was agreed on. What goes beyond the volume
    /// or is not allowed there is the volume's to refuse.
    pub(super) fn parse(from: &Descriptor, geometry: &Geometry, max_transfer: u32) -> Result<Self, Errno> {
        let fua = from.operation & operation::FUA != 0;
        let action = match from.operation & operation::MASK {
            operation::READ => Action::Read,
            operation::WRITE => Action::Write { fua },
            operation::FLUSH => return Ok(Self { action: Action::Flush, offset: 0, len: 0 }),
            operation::DISCARD => Action::Trim { fua },
            operation::WRITE_ZEROES => Action::WriteZeroes { fua },
            _ => return Err(Errno::OPNOTSUPP),
        };
        let offset = from.start.checked_mul(SECTOR).ok_or(Errno::INVAL)?;
        let request = Self { action, offset, len: u64::from(from.sectors) * SECTOR };
        let (sector, has_data) = (u64::from(geometry.sector_size.bytes()), request.has_data());
        if !offset.is_multiple_of(sector) || !request.len.is_multiple_of(sector) || request.len == 0 {
            return Err(Errno::INVAL);
        }
        if has_data && request.len > max_transfer.into() {
            return Err(Errno::INVAL);
        }
        Ok(request)
    }

    /// Whether bytes come or go with it.
    pub(super) fn has_data(&self) -> bool {
        matches!(self.action, Action::Read | Action::Write { .. })
    }

    /// What the kernel is told when it is done: the bytes read or written, or a negative error number.
    pub(super) fn answer(&self, result: &Result<(), IoError>) -> i32 {
        match result {
            Ok(()) if self.has_data() => i32::try_from(self.len).unwrap_or(i32::MAX),
            Ok(()) => 0,
            Err(error) => -errno(error).raw_os_error(),
        }
    }
}

/// As the block layer knows it; it reports most of them as an I/O error.
fn errno(error: &IoError) -> Errno {
    match error {
        IoError::OutOfRange | IoError::TooLong | IoError::Unaligned => Errno::INVAL,
        IoError::ReadOnly => Errno::PERM,
        IoError::Latched => Errno::IO,
        IoError::Backing(source) if source.kind() == io::ErrorKind::StorageFull => Errno::NOSPC,
        IoError::Backing(_) => Errno::IO,
    }
}

#[cfg(test)]
mod tests {
    use keywrap::geometry::{ByteLen, SectorSize};

    use super::*;

    const GEOMETRY: Geometry =
        Geometry { len: ByteLen(1 << 20), sector_size: SectorSize::B4096, read_only: false, discards: true };

    fn parse(operation: u32, start: u64, sectors: u32) -> Result<Request, Errno> {
        Request::parse(&Descriptor { operation, sectors, start, address: 0 }, &GEOMETRY, 65536)
    }

    #[test]
    fn requests_come_in_bytes_with_their_flags() {
        let read = Request { action: Action::Read, offset: 8 * 512, len: 4096 };
        assert_eq!(parse(0, 8, 8), Ok(read));
        // Flags that say nothing to us change nothing: "do not retry", "metadata".
        assert_eq!(parse(1 << 8 | 1 << 11, 8, 8), Ok(read));
        assert_eq!(parse(1 | 1 << 13, 0, 128).unwrap().action, Action::Write { fua: true });
        assert_eq!(parse(3, 0, 1 << 20).unwrap().len, 512 << 20);
        assert_eq!(parse(5, 8, 8).unwrap().action, Action::WriteZeroes { fua: false });
        // A flush has no range, whatever its fields say.
        assert_eq!(parse(2, 5, 3).unwrap(), Request { action: Action::Flush, offset: 0, len: 0 });
    }

    #[test]
    fn what_the_kernel_should_never_ask_is_refused() {
        assert_eq!(parse(4, 0, 8), Err(Errno::OPNOTSUPP));
        assert_eq!(parse(255, 0, 8), Err(Errno::OPNOTSUPP));
        for (start, sectors) in [(1, 8), (0, 7), (0, 0), (0, 136), (u64::MAX, 8)] {
            assert_eq!(parse(0, start, sectors), Err(Errno::INVAL), "{start} {sectors}");
        }
    }

    #[test]
    fn answers_count_bytes_or_name_an_error() {
        assert_eq!(parse(0, 0, 8).unwrap().answer(&Ok(())), 4096);
        assert_eq!(parse(5, 0, 8).unwrap().answer(&Ok(())), 0);
        let full = IoError::Backing(io::Error::from_raw_os_error(Errno::NOSPC.raw_os_error()));
        assert_eq!(parse(1, 0, 8).unwrap().answer(&Err(full)), -Errno::NOSPC.raw_os_error());
        assert_eq!(parse(2, 0, 0).unwrap().answer(&Err(IoError::Latched)), -Errno::IO.raw_os_error());
    }
}
