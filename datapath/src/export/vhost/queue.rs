//! A queue of the device as a port of a worker. It serves one virtqueue at a time, or none.
//!
//! ```text
//!        Start                       Stop: nothing new; what is in flight ends
//! idle ────────▶ serving ──────────────────────────────────────────────────▶ idle
//!                  ▲  │ kick, or a piece ended: take chains, start pieces, tell the guest
//!                  └──┘
//! ```

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use keywrap::geometry::ByteLen;
use rustix::io::{Errno, ReadWriteFlags};

use super::device::Device;
use super::order::{Answer, Order, Orders};
use super::request::parse;
use super::transfer::Transfers;
use super::virtqueue::{Setup, Virtqueue};
use crate::ring::{File, Held};
use crate::volume::Finished;
use crate::worker::{Context, Port};

/// Operations of the port on the ring.
const ORDERS: u32 = 0;
const KICK: u32 = 1;

/// See the module.
pub(super) struct Queue {
    device: Arc<Device>,
    disk: usize,
    orders: Orders,
    wake: Option<File>,
    is_waiting: bool,
    serving: Option<Serving>,
    ending: bool,
    /// Kept by the queue that tells the front end of a new length of the volume.
    len: Option<ByteLen>,
}

/// A virtqueue with its requests.
struct Serving {
    virtqueue: Virtqueue,
    transfers: Transfers,
    kick: File,
    /// A poll of `kick` is in flight.
    is_waiting: bool,
    /// There may be something in the available ring.
    is_kicked: bool,
    stop: Stop,
}

/// Whether the virtqueue is to be left, and who waits for it.
enum Stop {
    No,
    Yes(Option<Answer>),
}

impl Queue {
    /// The first queue of a device is the one that tells of a new length.
    pub(super) fn new(device: Arc<Device>, disk: usize, orders: Orders, is_first: bool) -> Self {
        let len = is_first.then(|| device.volume.geometry().len);
        Self { device, disk, orders, wake: None, is_waiting: false, serving: None, ending: false, len }
    }

    fn obey(&mut self, order: Order, answer: Answer, cx: &mut Context<'_>) {
        match order {
            // Without an answer, the session learns that nothing is served here any more.
            Order::Start(_) if self.ending => return,
            Order::Start(setup) => self.serving = Some(Serving::new(*setup, self.disk, cx)),
            Order::Call(call) => {
                if let Some(serving) = &mut self.serving {
                    serving.virtqueue.set_call(call);
                }
            }
            Order::Stop => {
                if let Some(serving) = &mut self.serving {
                    return serving.stop(Some(answer), cx);
                }
            }
        }
        // Whoever asked may have gone; then nobody needs the answer.
        let _ = answer.send(0);
    }

    /// Leaves a virtqueue in which nothing is in flight.
    fn leave(&mut self) {
        if self.serving.as_ref().is_none_or(|serving| !serving.is_over()) {
            return;
        }
        if let Some(Serving { virtqueue, stop: Stop::Yes(Some(answer)), .. }) = self.serving.take() {
            let _ = answer.send(virtqueue.position());
        }
    }
}

impl Port for Queue {
    fn begin(&mut self, cx: &mut Context<'_>) {
        match self.orders.descriptor() {
            Ok(fd) => self.wake = Some(cx.ring.file(fd)),
            Err(error) => {
                tracing::error!(%error, "a queue cannot be served");
                self.ending = true;
            }
        }
    }

    fn on_ring(&mut self, op: u32, result: io::Result<u32>, _: Held, cx: &mut Context<'_>) {
        if op == ORDERS {
            self.is_waiting = false;
            self.orders.calm();
            while let Some((order, answer)) = self.orders.next() {
                self.obey(order, answer, cx);
            }
        } else if let Some(serving) = &mut self.serving {
            serving.is_waiting = false;
            if result.is_ok() {
                serving.on_kick();
            }
        }
    }

    fn on_disk(&mut self, op: u32, finished: Finished, _: &mut Context<'_>) {
        if let Some(serving) = &mut self.serving {
            serving.transfers.on_disk(op, finished, &serving.virtqueue.memory);
        }
    }

    fn settle(&mut self, cx: &mut Context<'_>) {
        if let Some(serving) = &mut self.serving {
            let is_through = serving.work(&self.device, cx);
            if !is_through {
                self.orders.poke();
            }
            serving.wait_for_kick(cx);
        }
        self.leave();
        if let Some(wake) = &self.wake
            && !self.is_waiting
            && !self.ending
        {
            self.is_waiting = true;
            let tag = cx.tag(ORDERS);
            cx.ring.readable(wake, tag);
        }
    }

    fn on_tick(&mut self, _: &mut Context<'_>) {
        let now = self.device.volume.geometry().len;
        if self.len.is_some_and(|len| len != now) {
            self.len = Some(now);
            self.device.tell_config_change();
        }
    }

    fn stop(&mut self, cx: &mut Context<'_>) {
        self.ending = true;
        let tag = cx.tag(ORDERS);
        cx.ring.cancel(tag);
        if let Some(serving) = &mut self.serving {
            serving.stop(None, cx);
        }
    }

    fn is_over(&self) -> bool {
        self.ending && !self.is_waiting && self.serving.is_none()
    }
}

impl Serving {
    fn new(setup: Setup, disk: usize, cx: &mut Context<'_>) -> Self {
        let transfers = Transfers::new(disk, setup.write_through);
        let (virtqueue, kick) = Virtqueue::new(setup);
        let kick = cx.ring.file(kick);
        // What came before the kick could be heard counts as well.
        Self { virtqueue, transfers, kick, is_waiting: false, is_kicked: true, stop: Stop::No }
    }

    fn stop(&mut self, answer: Option<Answer>, cx: &mut Context<'_>) {
        // The server's end must not forget who waits for the queue's.
        if !matches!(self.stop, Stop::Yes(Some(_))) {
            self.stop = Stop::Yes(answer);
        }
        let tag = cx.tag(KICK);
        cx.ring.cancel(tag);
    }

    fn is_stopping(&self) -> bool {
        matches!(self.stop, Stop::Yes(_))
    }

    fn is_over(&self) -> bool {
        let has_left_overs = self.virtqueue.has_left_overs() && !self.virtqueue.is_broken();
        self.is_stopping() && !self.is_waiting && self.transfers.is_idle() && !has_left_overs
    }

    fn on_kick(&mut self) {
        self.is_kicked = true;
        if let Err(error) = drain(self.kick.as_fd()) {
            self.virtqueue.give_up(&format!("its kick descriptor is no eventfd: {error}"));
        }
    }

    /// Ends what is done, starts what can be started, and tells the guest. False when it has done so much that others
    /// should have their turn first.
    fn work(&mut self, device: &Device, cx: &mut Context<'_>) -> bool {
        if self.is_kicked && !self.is_stopping() {
            self.virtqueue.be_quiet();
        }
        let mut turns = 2 * self.virtqueue.size();
        let is_through = loop {
            let is_started = self.transfers.advance(&self.virtqueue.memory, cx);
            self.end_done();
            if !is_started {
                cx.starve();
                break true;
            }
            if turns == 0 {
                break false;
            }
            turns -= 1;
            if !self.take(device) {
                break true;
            }
        };
        self.virtqueue.notify();
        is_through
    }

    /// Takes the next request. Whether to go on.
    fn take(&mut self, device: &Device) -> bool {
        let wants_fresh = self.is_kicked && !self.is_stopping();
        if let Some(head) = self.virtqueue.next(wants_fresh) {
            self.begin(head, device);
            return true;
        }
        if !wants_fresh {
            return false;
        }
        self.is_kicked = self.virtqueue.listen();
        self.is_kicked
    }

    fn begin(&mut self, head: u16, device: &Device) {
        let mut chain = self.transfers.chain();
        match self.virtqueue.chain(head, &mut chain) {
            Ok(()) if chain.writable.len() > 0 => {
                let task = parse(&chain, &self.virtqueue.memory, device, self.transfers.is_write_through());
                self.transfers.begin(head, chain, task);
            }
            Ok(()) => {
                tracing::debug!(head, "a request has no place for its status");
                self.transfers.reject(head, chain);
            }
            Err(error) => {
                tracing::debug!(head, %error, "a request is no descriptor chain");
                self.transfers.reject(head, chain);
            }
        }
    }

    fn end_done(&mut self) {
        while let Some(done) = self.transfers.pop() {
            self.virtqueue.done(done.head, done.written);
        }
    }

    fn wait_for_kick(&mut self, cx: &mut Context<'_>) {
        if !self.is_waiting && !self.is_stopping() && !self.virtqueue.is_broken() {
            self.is_waiting = true;
            let tag = cx.tag(KICK);
            cx.ring.readable(&self.kick, tag);
        }
    }
}

/// Takes a kick away. Never waits, whatever the front end has made of the descriptor; only eventfds and pipes can be read
/// like this.
fn drain(kick: BorrowedFd<'_>) -> io::Result<()> {
    const HERE: u64 = u64::MAX;
    let mut count = [0; 8];
    match rustix::io::preadv2(kick, &mut [IoSliceMut::new(&mut count)], HERE, ReadWriteFlags::NOWAIT) {
        Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
