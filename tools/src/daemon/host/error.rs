//! What the control plane is told when something fails here.

use std::error::Error as StdError;
use std::io;
use std::path::Path;

use ekm_bridge::cluster::{HostError, HostErrorKind};
use keywrap::volume::{ErrorKind, VolumeError};

use crate::error::Error;

/// A failure, told as `message` and the failure underneath.
pub(super) fn failed<E: StdError + Send + Sync + 'static>(message: String) -> impl FnOnce(E) -> HostError {
    move |source| of(HostErrorKind::Failed, message, source)
}

/// What is wrong with the header of the volume at `path`.
pub(super) fn of_volume(path: &Path) -> impl Fn(VolumeError) -> HostError {
    move |source| {
        let kind = match source.kind() {
            ErrorKind::WrongKey => HostErrorKind::WrongKey,
            ErrorKind::NotAVolume | ErrorKind::Unsupported => HostErrorKind::Absent,
            _ => HostErrorKind::Failed,
        };
        of(kind, path.display().to_string(), source)
    }
}

/// An error of opening or making a file.
pub(super) fn of_file(source: Error) -> HostError {
    let kind = match source {
        Error::Missing { .. } | Error::NotABacking { .. } => HostErrorKind::Absent,
        Error::Claimed { .. } | Error::Busy { .. } | Error::InUse { .. } => HostErrorKind::InUse,
        _ => HostErrorKind::Failed,
    };
    of(kind, "the volume's file cannot be used".to_owned(), source)
}

/// An error unless `holds`.
pub(super) fn ensure(holds: bool, kind: HostErrorKind, message: impl FnOnce() -> String) -> Result<(), HostError> {
    if holds { Ok(()) } else { Err(HostError { kind, message: message(), source: None }) }
}

/// The message says the whole chain: whoever shows it may not follow sources.
fn of(kind: HostErrorKind, message: String, source: impl StdError + Send + Sync + 'static) -> HostError {
    let kind = if is_full(&source) { HostErrorKind::Full } else { kind };
    HostError { kind, message: chain(message, &source), source: Some(Box::new(source)) }
}

fn chain(mut message: String, source: &dyn StdError) -> String {
    let mut next = Some(source);
    while let Some(error) = next {
        let words = error.to_string();
        if !message.contains(&words) {
            message = format!("{message}: {words}");
        }
        next = error.source();
    }
    message
}

fn is_full(error: &(dyn StdError + 'static)) -> bool {
    const FULL: [io::ErrorKind; 3] =
        [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge];
    let mut next = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<io::Error>().is_some_and(|error| FULL.contains(&error.kind())) {
            return true;
        }
        next = error.source();
    }
    false
}
