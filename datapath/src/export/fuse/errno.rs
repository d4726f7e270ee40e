//! What the caller of a failed system call is told.

use std::io;

use fuser::Errno;

use crate::disk::IoError;

/// The error number of a failed operation. A full disk is told as such; the other failures of a backing are `EIO`, as a
/// device would say, and the log says more.
pub(super) fn of(error: &IoError) -> Errno {
    match error {
        IoError::OutOfRange | IoError::TooLong | IoError::Unaligned => Errno::EINVAL,
        IoError::ReadOnly => Errno::EROFS,
        IoError::Latched => Errno::EIO,
        IoError::Backing(source) => match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Errno::ENOSPC,
            io::ErrorKind::OutOfMemory => Errno::ENOMEM,
            _ => Errno::EIO,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_backing_is_told_apart_from_a_broken_one() {
        let backing = |error| of(&IoError::Backing(io::Error::from_raw_os_error(error)));
        assert_eq!(backing(rustix::io::Errno::NOSPC.raw_os_error()).code(), Errno::ENOSPC.code());
        assert_eq!(backing(rustix::io::Errno::DQUOT.raw_os_error()).code(), Errno::ENOSPC.code());
        assert_eq!(backing(rustix::io::Errno::NXIO.raw_os_error()).code(), Errno::EIO.code());
        assert_eq!(of(&IoError::Latched).code(), Errno::EIO.code());
        assert_eq!(of(&IoError::ReadOnly).code(), Errno::EROFS.code());
    }
}
