//! What the session's thread orders from the queues' ports, which live on other threads.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};

use rustix::event::EventfdFlags;

use super::virtqueue::Setup;

/// Something for a queue to do. Each order is answered.
pub(super) enum Order {
    /// Serve this virtqueue. The queue serves none.
    Start(Box<Setup>),
    /// Notify the guest through this from now on.
    Call(Option<OwnedFd>),
    /// End what was begun, take nothing new. The answer is the index in the available ring where to go on.
    Stop,
}

/// The answer goes here.
pub(super) type Answer = Sender<u16>;

/// The port is gone: its worker has ended.
#[derive(Debug, thiserror::Error)]
#[error("the thread that serves the queue has ended")]
pub(super) struct Gone;

/// The session's end.
pub(super) struct Orderer {
    orders: Sender<(Order, Answer)>,
    wake: Arc<OwnedFd>,
}

/// The port's end.
pub(super) struct Orders {
    orders: Receiver<(Order, Answer)>,
    wake: Arc<OwnedFd>,
}

/// Both ends.
pub(super) fn channel() -> io::Result<(Orderer, Orders)> {
    let wake = Arc::new(rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
    let (sender, receiver) = mpsc::channel();
    Ok((Orderer { orders: sender, wake: Arc::clone(&wake) }, Orders { orders: receiver, wake }))
}

impl Orderer {
    /// Orders, and waits for the answer.
    pub(super) fn order(&self, order: Order) -> Result<u16, Gone> {
        let (answer, wait) = mpsc::channel();
        self.orders.send((order, answer)).map_err(|_| Gone)?;
        wake(&self.wake);
        // A port that ends drops its orders, and with them the way to answer.
        wait.recv().map_err(|_| Gone)
    }
}

impl Orders {
    /// What becomes readable when there are orders, for the worker's ring.
    pub(super) fn descriptor(&self) -> io::Result<OwnedFd> {
        self.wake.try_clone()
    }

    /// Becomes readable again only for what comes later.
    pub(super) fn calm(&self) {
        // Nothing to be read is as well.
        let _ = rustix::io::read(&*self.wake, &mut [0; 8]);
    }

    /// Makes the port's own turn come again.
    pub(super) fn poke(&self) {
        wake(&self.wake);
    }

    /// The next order.
    pub(super) fn next(&self) -> Option<(Order, Answer)> {
        match self.orders.try_recv() {
            Ok(order) => Some(order),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
        }
    }
}

fn wake(eventfd: &OwnedFd) {
    if let Err(error) = rustix::io::write(eventfd, &1_u64.to_ne_bytes()) {
        tracing::error!(%error, "a queue could not be woken");
    }
}
