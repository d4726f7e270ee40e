//! SIGHUP: takes over what can be changed while the daemon runs, and says what cannot.
//!
//! Each part is taken over as a whole or not at all; a part that cannot be used stays as it was and stops no other.

use std::error::Error as StdError;
use std::sync::Arc;

use datapath::export::nbd::Publisher;
use ekm_bridge::StateDir;
use ekm_bridge::cluster::ClusterControl;
use ekm_bridge::rpc::Server;

use super::api;
use super::error::DaemonError;
use super::settings::Section;

/// What can be changed.
pub(super) struct Reload<'a> {
    /// The section that the daemon was started with.
    pub(super) started: &'a Section,
    pub(super) dir: &'a StateDir,
    pub(super) api: &'a [Server],
    pub(super) publisher: &'a Publisher,
    pub(super) control: &'a Arc<ClusterControl>,
}

impl Reload<'_> {
    /// Takes over what is in `new`.
    pub(super) fn apply(&self, new: &Section) {
        report("the API's certificate", self.api_identity(new));
        if let Some(outcome) = self.nbd_tls(new) {
            report("the NBD server's certificate", outcome);
        }
        self.control.set_cache_policy(new.cache());
        let fixed = self.started.differs_for_good_from(new);
        if !fixed.is_empty() {
            tracing::warn!(keys = fixed.join(", "), "changed keys of [daemon] that count only after a restart");
        }
    }

    fn api_identity(&self, new: &Section) -> Result<(), DaemonError> {
        let identities: Vec<_> = self.api.iter().map(|_| api::identity(new, self.dir)).collect::<Result<_, _>>()?;
        self.api.iter().zip(identities).try_for_each(|(server, identity)| Ok(server.set_identity(identity)?))
    }

    /// `None` when there is none and none is wanted.
    fn nbd_tls(&self, new: &Section) -> Option<Result<(), DaemonError>> {
        let of = |section: &Section| section.nbd_tls().map_err(DaemonError::Section);
        match (of(self.started), of(new)) {
            (_, Err(error)) => Some(Err(error)),
            (Ok(None), Ok(None)) => None,
            (Ok(Some(_)), Ok(Some(tls))) => Some(self.publisher.reload_tls(&tls).map_err(DaemonError::NbdTls)),
            _ => Some(Err(DaemonError::Section("TLS of NBD is switched on and off only by a restart".to_owned()))),
        }
    }
}

fn report(what: &str, outcome: Result<(), DaemonError>) {
    match outcome {
        Ok(()) => tracing::info!("{what} was read again; new connections get it"),
        Err(error) => tracing::error!(error = words(&error), "{what} stays as it was"),
    }
}

/// An error with what is underneath.
fn words(error: &dyn StdError) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let more = error.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        next = error.source();
    }
    words
}
