//! The export: listens for a front end, serves it, and listens again when it is gone.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags};
use rustix::io::Errno;

use super::device::{Device, QUEUES};
use super::order::{self, Orderer};
use super::queue::Queue;
use super::session::Session;
use crate::export::nbd::listen::Listener;
use crate::export::nbd::{Listen, ListenError};
use crate::volume::Volume;
use crate::worker::{Errand, Port, Workers};

/// A socket that front ends can connect to; they are answered once it is served.
pub struct Export {
    listener: Listener,
    socket: PathBuf,
}

/// An export that is served. Dropped, it is ended: requests in flight end, then the front end's connection is closed.
pub struct Serving {
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl Export {
    /// Makes the socket, for its owner only; it is removed at the end.
    ///
    /// # Errors
    /// See [`ListenError`].
    pub fn bind(socket: &Path) -> Result<Self, ListenError> {
        let listener = Listener::bind(&Listen::Unix(socket.to_path_buf()))?;
        Ok(Self { listener, socket: socket.to_path_buf() })
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Serves `volume`, which is the disk number `disk` of all `workers`, as a device that calls itself `serial` (its
    /// first 20 bytes). The device's queues are spread over the workers. One front end is served at a time.
    ///
    /// # Errors
    /// When the operating system has no thread or descriptor left.
    pub fn serve(self, workers: &Workers, disk: usize, volume: Arc<Volume>, serial: &str) -> io::Result<Serving> {
        let device = Arc::new(Device::new(volume, serial));
        let inboxes = workers.inboxes();
        let mut queues = Vec::with_capacity(QUEUES.into());
        for index in 0..usize::from(QUEUES) {
            let (orderer, orders) = order::channel()?;
            let device = Arc::clone(&device);
            let port = move || -> Box<dyn Port> { Box::new(Queue::new(device, disk, orders, index == 0)) };
            inboxes[index % inboxes.len()].put(Errand::Adopt(Box::new(port)));
            queues.push(orderer);
        }
        let stop = Arc::new(rustix::event::eventfd(0, EventfdFlags::CLOEXEC)?);
        let asked = Arc::clone(&stop);
        let run = move || listen(&self.listener, &device, &queues, asked.as_fd());
        let thread = thread::Builder::new().name("vhost-user".to_owned()).spawn(run)?;
        Ok(Serving { stop, thread: Some(thread) })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Err(error) = rustix::io::write(&*self.stop, &1_u64.to_ne_bytes()) {
            return tracing::error!(%error, "the vhost-user export cannot be told to end");
        }
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the vhost-user export did not end well");
        }
    }
}

fn listen(listener: &Listener, device: &Arc<Device>, queues: &[Orderer], stop: BorrowedFd<'_>) {
    /// Between attempts, when the system has no descriptor left.
    const PAUSE: Duration = Duration::from_millis(200);
    loop {
        match wait_for(listener.as_fd(), stop) {
            Ok(true) => (),
            Ok(false) => return,
            Err(error) => return tracing::error!(%error, "the vhost-user socket cannot be waited for"),
        }
        match listener.accept() {
            Ok(socket) => {
                tracing::info!("a virtual machine's front end has connected");
                match Session::new(socket.into(), device, queues) {
                    Ok(session) => session.run(stop),
                    Err(error) => tracing::warn!(%error, "a front end could not be served"),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => (),
            Err(error) => {
                tracing::warn!(%error, "a front end could not be accepted");
                thread::sleep(PAUSE);
            }
        }
    }
}

/// Waits until `fd` is readable; false when `stop` is.
pub(super) fn wait_for(fd: BorrowedFd<'_>, stop: BorrowedFd<'_>) -> io::Result<bool> {
    let mut polled = [PollFd::from_borrowed_fd(stop, PollFlags::IN), PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    loop {
        match rustix::event::poll(&mut polled, None) {
            Ok(_) => return Ok(polled[0].revents().is_empty()),
            Err(Errno::INTR) => (),
            Err(error) => return Err(error.into()),
        }
    }
}
