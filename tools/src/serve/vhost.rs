//! The volume as a disk of a virtual machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datapath::export::nbd::{BindError, RunError};
use datapath::export::vhost::{Export, Serving};
use datapath::volume::Volume;
use datapath::worker::Workers;
use uuid::Uuid;

use crate::error::Error;

/// An export that a front end can connect to.
pub(crate) struct Served {
    socket: PathBuf,
    serving: Serving,
}

/// Serves `volume`, the first and only disk of `workers`, at `socket`.
///
/// # Errors
/// When the socket cannot be made, or the system has no thread or descriptor left.
pub(super) fn serve(socket: &Path, workers: &Workers, volume: Arc<Volume>, uuid: Uuid) -> Result<Served, Error> {
    let socket = std::path::absolute(socket).map_err(Error::io("find", socket))?;
    let export = Export::bind(&socket).map_err(BindError::from)?;
    let serving = export.serve(workers, 0, volume, &uuid.simple().to_string()).map_err(BindError::from)?;
    Ok(Served { socket, serving })
}

impl Served {
    /// Where it listens, from everywhere.
    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Closes the front end's connection, once the workers have given back what they took.
    pub(super) fn end(self, outcome: &Result<(), RunError>) {
        if matches!(outcome, Err(RunError::Stuck(_))) {
            // It would wait for requests that do not end.
            std::mem::forget(self.serving);
        }
    }
}
