//! The ring on io_uring.

use std::collections::VecDeque;
use std::io;
use std::os::fd::AsRawFd;

use io_uring::{IoUring, cqueue, opcode, squeue, types};
use rustix::io::Errno;

use super::file::{SLOTS, Slots};
use super::operation::{Op, Operations};
use super::received::{BUFFER_LEN, BUFFERS, Pool};
use super::{Ended, Engine, restrict};
use crate::buf::arena::Arena;

/// Entries of the submission queue: what is started at most with one call.
const ENTRIES: u32 = 256;
/// Entries of the completion queue.
const COMPLETIONS: u32 = 4096;
/// The group of the buffers for receiving.
const RECEIVE_GROUP: u16 = 0;
/// The registered memory: the whole arena is one buffer.
const ARENA_BUFFER: u16 = 0;
/// `user_data` of what is nobody's operation.
const NOBODY: u64 = u64::MAX;
/// `IORING_FSYNC_DATASYNC`.
const DATASYNC: types::FsyncFlags = types::FsyncFlags::DATASYNC;

/// See the module.
pub(super) struct Uring {
    ring: IoUring,
    slots: Slots,
    /// The arena is registered: its pages are pinned once, not at every operation.
    fixed: bool,
}

/// Whether the kernel has and allows what [`Uring`] needs (Linux 6.1).
pub(super) fn probe() -> io::Result<()> {
    build(8, 16).map(drop)
}

/// One thread submits, and completions run when that thread waits: no interrupts, no locks.
fn build(entries: u32, completions: u32) -> io::Result<IoUring> {
    IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_coop_taskrun()
        .setup_r_disabled()
        .setup_clamp()
        .setup_cqsize(completions)
        .build(entries)
}

impl Uring {
    pub(super) fn new(arena: &Arena, pool: &Pool, slots: &Slots) -> io::Result<Self> {
        let ring = build(ENTRIES, COMPLETIONS)?;
        let submitter = ring.submitter();
        submitter.register_files_sparse(SLOTS)?;
        slots.open();
        // SAFETY: the pool's memory outlives the ring: `Ring` drops the engine first, or leaks the pool.
        unsafe { submitter.register_buf_ring_with_flags(pool.share(), BUFFERS, RECEIVE_GROUP, 0)? };
        let memory = arena.mapping();
        let vector = libc::iovec { iov_base: memory.base().as_ptr().cast(), iov_len: memory.len() };
        // SAFETY: the arena's memory outlives the ring, likewise.
        let fixed = match unsafe { submitter.register_buffers(&[vector]) } {
            Ok(()) => true,
            Err(error) => {
                tracing::debug!(%error, "memory is not registered (see `sear doctor`, memory-lock limit)");
                false
            }
        };
        restrict::apply(&submitter)?;
        submitter.register_enable_rings()?;
        Ok(Self { ring, slots: slots.clone(), fixed })
    }

    fn push(&mut self, entry: squeue::Entry) {
        loop {
            // SAFETY: what the entry refers to is owned by an operation in flight, which `Ring` keeps until the kernel
            // says that it has ended, or leaks.
            if unsafe { self.ring.submission().push(&entry) }.is_ok() {
                return;
            }
            if let Err(error) = self.submit() {
                // Only a lack of memory in the kernel; it passes, and giving up here would lose an operation.
                tracing::warn!(%error, "the ring refuses to submit; trying again");
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
    }

    /// Hands over what was pushed, after telling the kernel of files that came and went.
    fn submit(&mut self) -> io::Result<()> {
        self.tell_files();
        self.ring.submit().map(drop)
    }

    fn tell_files(&self) {
        let submitter = self.ring.submitter();
        self.slots.apply(|slot, fd| {
            if let Err(error) = submitter.register_files_update(slot, &[fd]) {
                tracing::error!(%error, slot, "a file could not be registered");
            }
        });
    }

    fn entry(&self, op: &mut Op) -> squeue::Entry {
        /// Evaluates the expression with the file as a registered one or as a descriptor.
        macro_rules! with {
            ($file:expr, $fd:ident => $entry:expr) => {
                match $file.slot() {
                    Some(slot) => {
                        let $fd = types::Fixed(slot);
                        $entry
                    }
                    None => {
                        let $fd = types::Fd(std::os::fd::AsFd::as_fd($file).as_raw_fd());
                        $entry
                    }
                }
            };
        }
        match op {
            Op::Read { file, chunk, from, offset } => {
                let (at, len) = (chunk.as_ptr().wrapping_add(*from), length(chunk.len() - *from));
                if self.fixed {
                    with!(file, fd => opcode::ReadFixed::new(fd, at, len, ARENA_BUFFER).offset(*offset).build())
                } else {
                    with!(file, fd => opcode::Read::new(fd, at, len).offset(*offset).build())
                }
            }
            Op::Write { file, chunk, from, offset, sync } => {
                let (at, len) = (chunk.as_ptr().wrapping_add(*from).cast_const(), length(chunk.len() - *from));
                let flags = if *sync { libc::RWF_DSYNC } else { 0 };
                if self.fixed {
                    let new = |entry: opcode::WriteFixed| entry.offset(*offset).rw_flags(flags).build();
                    with!(file, fd => new(opcode::WriteFixed::new(fd, at, len, ARENA_BUFFER)))
                } else {
                    let new = |entry: opcode::Write| entry.offset(*offset).rw_flags(flags).build();
                    with!(file, fd => new(opcode::Write::new(fd, at, len)))
                }
            }
            Op::Sync { file } => with!(file, fd => opcode::Fsync::new(fd).flags(DATASYNC).build()),
            Op::Receive { file } => {
                let new = |entry: opcode::Recv| entry.buf_group(RECEIVE_GROUP).build();
                with!(file, fd => new(opcode::Recv::new(fd, std::ptr::null_mut(), BUFFER_LEN)))
                    .flags(squeue::Flags::BUFFER_SELECT)
            }
            Op::Send { file, message } => {
                let flags = (libc::MSG_NOSIGNAL | libc::MSG_WAITALL) as u32;
                let header = message.arguments();
                with!(file, fd => opcode::SendMsg::new(fd, header).flags(flags).build())
            }
            Op::Readable { file } => {
                let events = libc::POLLIN as u32;
                with!(file, fd => opcode::PollAdd::new(fd, events).build())
            }
            Op::Timer { spec, .. } => opcode::Timeout::new(&raw const **spec).build(),
            Op::Command { file, code, arguments, chunk } => {
                let address = chunk.as_ref().map_or(0, |chunk| chunk.as_ptr() as u64);
                let mut bytes = [0; 16];
                bytes[..8].copy_from_slice(arguments);
                bytes[8..].copy_from_slice(&address.to_ne_bytes());
                with!(file, fd => opcode::UringCmd16::new(fd, *code).cmd(bytes).build())
            }
        }
    }
}

impl Engine for Uring {
    fn start(&mut self, number: u32, op: &mut Op) {
        let entry = self.entry(op).user_data(number.into());
        self.push(entry);
    }

    fn wait(&mut self, block: bool, _: &mut Operations, done: &mut VecDeque<Ended>) -> io::Result<()> {
        self.tell_files();
        let block = block && self.ring.completion().is_empty();
        let submitted = if block {
            self.ring.submit_and_wait(1).map(drop)
        } else {
            let pending = u32::try_from(self.ring.submission().len()).unwrap_or(u32::MAX);
            // SAFETY: no argument is passed, and the entries that are submitted were pushed as `push` demands.
            unsafe { self.ring.submitter().enter::<()>(pending, 0, GETEVENTS, None) }.map(drop)
        };
        match submitted.as_ref().map_err(Errno::from_io_error) {
            // Too many completions to be kept: they are taken below, and what was not submitted is so next time.
            Ok(()) | Err(Some(Errno::INTR | Errno::BUSY | Errno::AGAIN)) => (),
            Err(_) => return submitted,
        }
        for completed in self.ring.completion() {
            let Ok(number) = u32::try_from(completed.user_data()) else { continue };
            let buffer = cqueue::buffer_select(completed.flags());
            done.push_back(Ended { number, result: completed.result(), buffer });
        }
        Ok(())
    }

    fn cancel(&mut self, number: u32) {
        let whom = types::CancelBuilder::user_data(number.into());
        self.push(opcode::AsyncCancel2::new(whom).build().user_data(NOBODY));
    }

    fn cancel_all(&mut self) {
        let entry = opcode::AsyncCancel2::new(types::CancelBuilder::any().all()).build().user_data(NOBODY);
        self.push(entry);
    }
}

/// `IORING_ENTER_GETEVENTS`: completions that are ready are to be posted.
const GETEVENTS: u32 = 1;

/// A chunk is far below 4 GiB.
fn length(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
