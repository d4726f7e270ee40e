//! One queue of a device, as a port of a worker.
//!
//! ```text
//!   FETCH_REQ ─▶ (the kernel) ─▶ arrives ─▶ plaintext in ─▶ seal ─▶ disk ─▶ (plaintext out) ─▶ COMMIT_AND_FETCH_REQ ─┐
//!                    ▲                          └─ no chunk left: put off                                           │
//!                    └──────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//! Each tag of the queue is a slot for one request: it is with the kernel, or being worked on here.
//!
//! **How data comes and goes.** By [`Copying::Server`] it is read from and written to the device's file, by calls: they
//! only copy memory, so there is nothing to wait for, and a chunk is held only while it is worked on. By
//! [`Copying::Kernel`] every command carries a chunk, which the kernel fills or empties: a chunk for each slot, always.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use rustix::io::Errno;

use super::abi::{command, data_position, io_arguments};
use super::gate::Gate;
use super::request::{Action, Request};
use crate::buf::arena::Chunk;
use crate::ring::ublk::Descriptors;
use crate::ring::{self, Held};
use crate::volume::{Finished, Job, Slow};
use crate::worker::{Context, Port};

/// Who copies data between a request and the server's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Copying {
    Server,
    Kernel,
}

/// What a queue is made from; it becomes one on its worker's thread.
pub(super) struct Plan {
    pub(super) gate: Arc<Gate>,
    pub(super) device: File,
    pub(super) descriptors: Descriptors,
    /// The queue's number.
    pub(super) queue: u16,
    /// How many requests it holds.
    pub(super) depth: u16,
    /// The worker's disk that it serves.
    pub(super) disk: usize,
    pub(super) copying: Copying,
    /// The longest read or write, in bytes.
    pub(super) max_transfer: u32,
}

impl Drop for Plan {
    fn drop(&mut self) {
        self.gate.leave();
    }
}

/// A queue at work.
pub(super) struct Queue {
    plan: Plan,
    /// The device as the ring knows it.
    file: Option<ring::File>,
    /// What is being worked on, by tag.
    requests: Vec<Option<Request>>,
    /// By [`Copying::Kernel`], the chunk of each tag that needs none for its work.
    kept: Vec<Option<Chunk>>,
    /// Tags that wait for a chunk.
    put_off: VecDeque<u16>,
    /// Tags that are not over.
    open: u16,
}

impl Queue {
    pub(super) fn new(plan: Plan) -> Self {
        let depth = plan.depth;
        let none = || (0..depth).map(|_| None).collect();
        let kept = (0..depth).map(|_| None).collect();
        Self { plan, file: None, requests: none(), kept, put_off: VecDeque::new(), open: depth }
    }

    /// Asks for the next request with that tag.
    fn fetch(&mut self, tag: u16, cx: &mut Context<'_>) {
        match self.plan.copying {
            Copying::Server => self.command(command::FETCH_REQ, tag, 0, None, cx),
            Copying::Kernel => match cx.ring.arena().take(self.plan.max_transfer as usize) {
                Some(chunk) => self.command(command::FETCH_REQ, tag, 0, Some(chunk), cx),
                None => self.put_off(tag, cx),
            },
        }
    }

    /// Answers the request, and asks for the next one.
    fn commit(&mut self, tag: u16, answer: i32, chunk: Option<Chunk>, cx: &mut Context<'_>) {
        self.requests[usize::from(tag)] = None;
        let chunk = match self.plan.copying {
            Copying::Server => None,
            Copying::Kernel => chunk.or_else(|| self.kept[usize::from(tag)].take()).map(|mut chunk| {
                chunk.set_len(self.plan.max_transfer as usize);
                chunk
            }),
        };
        self.command(command::COMMIT_AND_FETCH_REQ, tag, answer, chunk, cx);
    }

    fn command(&mut self, code: u32, tag: u16, result: i32, chunk: Option<Chunk>, cx: &mut Context<'_>) {
        let Some(file) = &self.file else { return };
        let arguments = io_arguments(self.plan.queue, tag, result);
        cx.ring.command(file, code, arguments, chunk, cx.tag(tag.into()));
    }

    /// A request has come. `chunk` holds its data already, or has room for it.
    fn arrive(&mut self, tag: u16, chunk: Option<Chunk>, cx: &mut Context<'_>) {
        let descriptor = self.plan.descriptors.read(tag);
        let geometry = cx.disk(self.plan.disk).volume().geometry();
        self.kept[usize::from(tag)] = chunk;
        match Request::parse(&descriptor, &geometry, self.plan.max_transfer) {
            Ok(request) => {
                self.requests[usize::from(tag)] = Some(request);
                self.work(tag, request, cx);
            }
            Err(errno) => {
                tracing::warn!(?descriptor, "a ublk request that cannot be done");
                self.commit(tag, -errno.raw_os_error(), None, cx);
            }
        }
    }

    /// Starts a request on the disk.
    fn work(&mut self, tag: u16, request: Request, cx: &mut Context<'_>) {
        let Request { action, offset, len } = request;
        let job = match action {
            Action::Flush => Job::Flush,
            Action::Trim { fua } => Job::Slow(Slow::Trim { offset, len, fua }),
            Action::WriteZeroes { fua } => Job::Slow(Slow::WriteZeroes { offset, len, fua }),
            Action::Read | Action::Write { .. } => {
                let Some(mut chunk) = self.chunk(tag, len, cx) else { return self.put_off(tag, cx) };
                if let Action::Write { fua } = action {
                    if let Err(error) = self.bring(tag, &mut chunk) {
                        tracing::warn!(%error, "the data of a ublk request cannot be read");
                        return self.commit(tag, -Errno::IO.raw_os_error(), Some(chunk), cx);
                    }
                    cx.disk(self.plan.disk).seal(offset, &mut chunk);
                    Job::Write { offset, chunk, fua }
                } else {
                    Job::Read { offset, chunk }
                }
            }
        };
        cx.start(self.plan.disk, job, tag.into());
    }

    /// A chunk of that length: the one that came with the request, or a new one.
    fn chunk(&mut self, tag: u16, len: u64, cx: &Context<'_>) -> Option<Chunk> {
        // Checked against the longest transfer when it was parsed.
        let len = usize::try_from(len).ok()?;
        match self.plan.copying {
            Copying::Server => cx.ring.arena().take(len),
            Copying::Kernel => {
                let mut chunk = self.kept[usize::from(tag)].take()?;
                chunk.set_len(len);
                Some(chunk)
            }
        }
    }

    /// Fills the chunk with what is to be written.
    fn bring(&self, tag: u16, chunk: &mut Chunk) -> io::Result<()> {
        match self.plan.copying {
            Copying::Server => self.plan.device.read_exact_at(chunk, data_position(self.plan.queue, tag)),
            Copying::Kernel => Ok(()),
        }
    }

    /// Hands over what was read.
    fn deliver(&self, tag: u16, chunk: &Chunk) -> io::Result<()> {
        match self.plan.copying {
            Copying::Server => self.plan.device.write_all_at(chunk, data_position(self.plan.queue, tag)),
            Copying::Kernel => Ok(()),
        }
    }

    fn put_off(&mut self, tag: u16, cx: &mut Context<'_>) {
        self.put_off.push_back(tag);
        cx.starve();
    }

    fn over(&mut self) {
        self.open -= 1;
        if self.open == 0 {
            self.file = None;
        }
    }
}

impl Port for Queue {
    fn begin(&mut self, cx: &mut Context<'_>) {
        match self.plan.device.try_clone() {
            // The device is gone only when every file of it is closed.
            Ok(device) => self.file = Some(cx.ring.unlisted_file(OwnedFd::from(device))),
            Err(error) => {
                self.plan.gate.fail(error);
                self.open = 0;
                return;
            }
        }
        (0..self.plan.depth).for_each(|tag| self.fetch(tag, cx));
    }

    fn on_ring(&mut self, op: u32, result: io::Result<u32>, held: Held, cx: &mut Context<'_>) {
        let Ok(tag) = u16::try_from(op) else { return };
        match result {
            Ok(0) => self.arrive(tag, held.chunk().ok(), cx),
            Ok(other) => {
                self.plan.gate.fail(io::Error::other(format!("the kernel answered {other} to a fetch")));
                self.over();
            }
            // The device is stopped, or its server is taken for dead.
            Err(error) if Errno::from_io_error(&error) == Some(Errno::NODEV) => self.over(),
            Err(error) => {
                self.plan.gate.fail(error);
                self.over();
            }
        }
    }

    fn on_disk(&mut self, op: u32, finished: Finished, cx: &mut Context<'_>) {
        let Ok(tag) = u16::try_from(op) else { return };
        let Some(request) = self.requests[usize::from(tag)] else { return };
        let Finished { result, payload, .. } = finished;
        let result = match (&payload, request.action) {
            (Some(chunk), Action::Read) => result.and_then(|()| Ok(self.deliver(tag, chunk)?)),
            _ => result,
        };
        if let Err(error) = &result {
            tracing::debug!(%error, ?request, "a ublk request failed");
        }
        self.commit(tag, request.answer(&result), payload, cx);
    }

    fn settle(&mut self, cx: &mut Context<'_>) {
        for tag in std::mem::take(&mut self.put_off) {
            match self.requests[usize::from(tag)] {
                Some(request) => self.work(tag, request, cx),
                None => self.fetch(tag, cx),
            }
        }
    }

    /// Nothing: a queue ends when its device is stopped, which needs it until then.
    fn stop(&mut self, _: &mut Context<'_>) {}

    fn is_over(&self) -> bool {
        self.open == 0
    }
}
