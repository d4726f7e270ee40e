//! Bringing many headers to the key in force, several at a time.

use uuid::Uuid;

use super::{AT_ONCE, Read};
use crate::cluster::control::{ClusterControl, read};
use crate::cluster::keys::Owned;
use crate::cluster::run::in_parallel;
use crate::records::Header;
use crate::rpc::control::Outcome;
use crate::rpc::{ApiError, ErrorName};

/// A header that was left behind, and why.
pub(in crate::cluster) struct Left {
    /// The header.
    pub(in crate::cluster) header: Header,
    /// Why.
    pub(in crate::cluster) error: ApiError,
}

impl ClusterControl {
    /// Wraps these headers by `new`, the key in force. One that fails stops no other.
    ///
    /// # Errors
    /// When the store fails, `new` is no longer in force, or the node is being stopped; what is done is recorded.
    pub(in crate::cluster) fn sweep(&self, headers: &[Header], new: &Owned) -> Outcome<Vec<Left>> {
        let mut left = Vec::new();
        for some in headers.chunks(AT_ONCE) {
            if self.is_stopping() {
                return Err(stopping());
            }
            let _key_stays = read(&self.in_force);
            self.announce(some, new.id)?;
            let outcomes: Vec<Read> = in_parallel(self.config.rewraps.get(), some, |header| self.wrap(header, new));
            let pairs: Vec<(Uuid, &Read)> = some.iter().map(|header| header.id).zip(&outcomes).collect();
            self.read_back(&pairs)?;
            let failed = some.iter().zip(outcomes).filter_map(|(header, outcome)| Some((header, outcome.err()?)));
            left.extend(failed.map(|(header, error)| Left { header: header.clone(), error }));
        }
        Ok(left)
    }
}

fn stopping() -> ApiError {
    ApiError::new(ErrorName::ApiNotPermitted, "the node is being stopped; the rekey goes on at the next start")
}
