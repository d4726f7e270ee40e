//! Exports that come and go while the server runs.
//!
//! ```text
//! add:     every worker serves the volume ─▶ the name is in the table, clients find it
//! remove:  the name leaves the table ─▶ connections answer what is in flight, refuse the rest, and end
//!          ─▶ every worker forgets the volume ─▶ last flush
//! ```
//! So no client ever finds a name whose volume its worker does not know, and once [`Publisher::remove`] has returned,
//! nothing of the server holds the volume: whoever drops it last wipes its key.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::exports::{BadExport, Export};
use super::shared::Shared;
use super::tls::{TlsConfig, TlsError};
use crate::disk::{BlockingDisk, IoError};
use crate::volume::Volume;
use crate::worker::{Errand, Inbox, Leave, Worker};

/// How often the end of connections is looked for.
const LOOK: Duration = Duration::from_millis(2);
/// How often a worker that does not answer is asked whether it still lives.
const LOOK_AROUND: Duration = Duration::from_millis(100);

/// Adds and removes exports of a running server, from any thread.
#[derive(Clone)]
pub struct Publisher {
    shared: Arc<Shared>,
    inboxes: Vec<Arc<Inbox>>,
}

/// Why an export did not come or go as it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The export.
    #[error(transparent)]
    Export(#[from] BadExport),
    /// The system has no descriptor left, or the server no place.
    #[error("the threads that serve cannot take the volume in: {0}")]
    Workers(#[from] io::Error),
    /// The server ends.
    #[error("the server is ending")]
    Stopping,
    /// Requests did not end even after their connections were cut; the disk was not flushed.
    #[error("requests in flight do not end; the volume is not released")]
    Stuck,
    /// The last flush failed: writes that no client had flushed may be lost.
    #[error("the last flush failed: {0}")]
    Flush(#[source] IoError),
}

impl Publisher {
    pub(super) fn new(shared: Arc<Shared>, inboxes: Vec<Arc<Inbox>>) -> Self {
        Self { shared, inboxes }
    }

    /// Offers one more export.
    ///
    /// # Errors
    /// See [`PublishError`]; it is not offered then.
    pub fn add(&self, export: Export) -> Result<(), PublishError> {
        let volume = Arc::clone(&export.volume);
        let added = self.serve(&volume).and_then(|()| Ok(self.shared.exports.add(export)?));
        if added.is_err() {
            self.withdraw(&volume)?;
        }
        added
    }

    /// Takes an export away and flushes its volume. One that is not there is no error.
    ///
    /// # Errors
    /// [`PublishError::Flush`]: it is gone, and so may be writes. [`PublishError::Stuck`] and
    /// [`PublishError::Stopping`]: it is not found any more, but may be in use.
    pub fn remove(&self, name: &str) -> Result<(), PublishError> {
        let Some(export) = self.shared.exports.remove(name) else { return Ok(()) };
        self.withdraw(&export.volume)?;
        match export.volume.geometry().read_only {
            true => Ok(()),
            false => export.volume.flush().map_err(PublishError::Flush),
        }
    }

    /// Reads the files of TLS again. Connections that are made from now on use what is in them.
    ///
    /// # Errors
    /// When they cannot be used, or the server has no TLS; the old ones stay in use.
    pub fn reload_tls(&self, config: &TlsConfig) -> Result<(), TlsError> {
        self.shared.tls.reload(config)
    }

    fn serve(&self, volume: &Arc<Volume>) -> Result<(), PublishError> {
        for inbox in &self.inboxes {
            let volume = Arc::clone(volume);
            self.ask(inbox, move |worker| worker.serve(&volume))??;
        }
        Ok(())
    }

    /// Lets every worker forget a volume.
    fn withdraw(&self, volume: &Arc<Volume>) -> Result<(), PublishError> {
        for how in [Leave::InOrder, Leave::AtOnce] {
            let end = Instant::now() + self.shared.limits.drain;
            self.each(volume, move |worker, volume| worker.leave(volume, how))?;
            while Instant::now() < end {
                if self.each(volume, Worker::forget)?.into_iter().all(|forgotten| forgotten) {
                    return Ok(());
                }
                thread::sleep(LOOK);
            }
        }
        Err(PublishError::Stuck)
    }

    fn each<T: Send + 'static>(
        &self,
        volume: &Arc<Volume>,
        act: impl Fn(&mut Worker, &Arc<Volume>) -> T + Copy + Send + 'static,
    ) -> Result<Vec<T>, PublishError> {
        let one = |inbox| {
            let volume = Arc::clone(volume);
            self.ask(inbox, move |worker| act(worker, &volume))
        };
        self.inboxes.iter().map(one).collect()
    }

    /// Lets a worker do something and waits for what comes of it.
    fn ask<T: Send + 'static>(
        &self,
        inbox: &Arc<Inbox>,
        act: impl FnOnce(&mut Worker) -> T + Send + 'static,
    ) -> Result<T, PublishError> {
        let (done, wait) = mpsc::channel();
        inbox.put(Errand::Do(Box::new(move |worker| {
            // Whoever has stopped waiting has no use for the answer.
            let _ = done.send(act(worker));
        })));
        loop {
            match wait.recv_timeout(LOOK_AROUND) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Timeout) if !self.shared.is_stopping() => (),
                Err(_) => return Err(PublishError::Stopping),
            }
        }
    }
}
