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
    move |source| of(of_header(source.kind()), path.display().to_string(), source)
}

fn of_header(kind: ErrorKind) -> HostErrorKind {
    match kind {
        ErrorKind::WrongKey => HostErrorKind::WrongKey,
        ErrorKind::NotAVolume | ErrorKind::Unsupported => HostErrorKind::Absent,
        ErrorKind::Refused => HostErrorKind::Occupied,
        ErrorKind::Invalid => HostErrorKind::Unfit,
        _ => HostErrorKind::Failed,
    }
}

/// An error of opening or making a file.
pub(super) fn of_file(source: Error) -> HostError {
    let kind = match source {
        Error::Missing { .. } | Error::NotABacking { .. } | Error::NotAVolume { .. } => HostErrorKind::Absent,
        Error::Occupied { .. } | Error::AlreadyAVolume { .. } | Error::OutputExists { .. } => HostErrorKind::Occupied,
        Error::SizeNeeded { .. } | Error::SizeDiffers { .. } | Error::SizeUneven { .. } | Error::TooSmall { .. } => {
            HostErrorKind::Unfit
        }
        Error::Volume { ref source, .. } => of_header(source.kind()),
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
