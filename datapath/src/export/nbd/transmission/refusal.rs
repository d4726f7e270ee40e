//! Why a request failed, in the protocol's few error numbers.

use std::borrow::Cow;
use std::io::ErrorKind;

use crate::disk::IoError;

/// The error numbers of the protocol (NBD protocol, "Error values").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Errno {
    /// Operation not permitted: a change of a read-only export.
    Perm = 1,
    /// Input/output error.
    Io = 5,
    /// Cannot allocate memory.
    NoMem = 12,
    /// Invalid argument: unknown command or flag, unaligned, or outside the export.
    Inval = 22,
    /// No space left: also a write beyond the end.
    NoSpc = 28,
    /// Value too large.
    Overflow = 75,
    /// Not supported: a fast zero that would not be fast.
    NotSup = 95,
    /// The server is being shut down.
    Shutdown = 108,
}

/// A failed request: the number for the client's program, the words for its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The number.
    pub errno: Errno,
    /// The words; only structured replies carry them.
    pub message: Cow<'static, str>,
}

impl Refusal {
    /// A refusal with fixed words.
    #[must_use]
    pub const fn new(errno: Errno, message: &'static str) -> Self {
        Self { errno, message: Cow::Borrowed(message) }
    }
}

impl From<&IoError> for Refusal {
    fn from(error: &IoError) -> Self {
        Self { errno: errno(error), message: Cow::Owned(error.to_string()) }
    }
}

fn errno(error: &IoError) -> Errno {
    match error {
        IoError::OutOfRange | IoError::Unaligned | IoError::TooLong => Errno::Inval,
        IoError::ReadOnly => Errno::Perm,
        IoError::Latched => Errno::Io,
        IoError::Backing(error) => match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Errno::NoSpc,
            ErrorKind::OutOfMemory => Errno::NoMem,
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Errno::Perm,
            _ => Errno::Io,
        },
    }
}
