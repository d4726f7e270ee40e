//! The ring's slow, obvious twin: sockets by `poll`, files by calls that block.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::{Errno, IoSlice, ReadWriteFlags};
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags};
use rustix::time::Timespec;

use super::operation::{Op, Operations};
use super::received::{Pool, Received};
use super::{Ended, Engine};

/// See the module.
pub(super) struct Polled {
    pool: Pool,
    ended: VecDeque<Ended>,
    /// Those that wait for their file or their time.
    waiting: Vec<u32>,
    timers: Vec<(Instant, u32)>,
}

/// What an attempt came to: a result, or "not yet".
enum Attempt {
    Ended(i32),
    Received(Received),
    NotYet,
}

impl Polled {
    pub(super) fn new(pool: &Pool) -> Self {
        Self { pool: pool.clone(), ended: VecDeque::new(), waiting: Vec::new(), timers: Vec::new() }
    }

    fn end(&mut self, number: u32, attempt: Attempt) {
        match attempt {
            Attempt::NotYet => self.waiting.push(number),
            Attempt::Ended(result) => self.ended.push_back(Ended { number, result, buffer: None }),
            Attempt::Received(received) => {
                let result = i32::try_from(received.len()).unwrap_or(i32::MAX);
                self.ended.push_back(Ended { number, result, buffer: Some(received.number()) });
                received.forget();
            }
        }
    }

    fn attempt(&self, op: &mut Op) -> Attempt {
        let done = match op {
            Op::Read { file, chunk, from, offset } => rustix::io::pread(file, &mut chunk[*from..], *offset),
            Op::Write { file, chunk, from, offset, sync } => write(file.as_fd(), &chunk[*from..], *offset, *sync),
            Op::Sync { file } => rustix::fs::fdatasync(file).map(|()| 0),
            Op::Send { file, message } => {
                let (slices, flags) = (message.slices(), SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
                rustix::net::sendmsg(file, &slices, &mut SendAncillaryBuffer::default(), flags)
            }
            Op::Receive { file } => {
                let Some(mut buffer) = self.pool.take() else { return Attempt::Ended(-Errno::NOBUFS.raw_os_error()) };
                match rustix::net::recv(&*file, &mut buffer[..], RecvFlags::DONTWAIT) {
                    Ok((0, _)) => Ok(0),
                    Ok((received, _)) => {
                        buffer.set_len(received);
                        return Attempt::Received(buffer);
                    }
                    Err(error) => Err(error),
                }
            }
            Op::Readable { file } => return poll_now(file.as_fd()),
            Op::Timer { .. } => return Attempt::NotYet,
            Op::Command { .. } => Err(Errno::OPNOTSUPP),
        };
        match done {
            Ok(count) => Attempt::Ended(i32::try_from(count).unwrap_or(i32::MAX)),
            Err(Errno::AGAIN | Errno::INTR) => Attempt::NotYet,
            Err(error) => Attempt::Ended(-error.raw_os_error()),
        }
    }

    /// Waits for the first of the files and timers; with a time of zero it only looks.
    fn poll(&self, block: bool, operations: &Operations) -> io::Result<()> {
        let mut polled = Vec::with_capacity(self.waiting.len());
        for number in &self.waiting {
            match operations.get(*number) {
                Some(Op::Send { file, .. }) => polled.push(PollFd::from_borrowed_fd(file.as_fd(), PollFlags::OUT)),
                Some(Op::Receive { file } | Op::Readable { file }) => {
                    polled.push(PollFd::from_borrowed_fd(file.as_fd(), PollFlags::IN));
                }
                _ => (),
            }
        }
        let next = self.timers.iter().map(|(at, _)| at.saturating_duration_since(Instant::now())).min();
        let limit = if block { next } else { Some(Duration::ZERO) };
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        match rustix::event::poll(&mut polled, limit.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Engine for Polled {
    fn start(&mut self, number: u32, op: &mut Op) {
        if let Op::Timer { delay, .. } = op {
            return self.timers.push((Instant::now() + *delay, number));
        }
        let attempt = self.attempt(op);
        self.end(number, attempt);
    }

    fn wait(&mut self, block: bool, operations: &mut Operations, done: &mut VecDeque<Ended>) -> io::Result<()> {
        loop {
            if !self.waiting.is_empty() || !self.timers.is_empty() {
                self.poll(block && self.ended.is_empty(), operations)?;
            }
            for number in std::mem::take(&mut self.waiting) {
                let attempt = operations.get_mut(number).map_or(Attempt::NotYet, |op| self.attempt(op));
                self.end(number, attempt);
            }
            let now = Instant::now();
            let over: Vec<u32> = self.timers.extract_if(.., |(at, _)| *at <= now).map(|(_, number)| number).collect();
            over.into_iter().for_each(|number| self.end(number, Attempt::Ended(-Errno::TIME.raw_os_error())));
            if !block || !self.ended.is_empty() || (self.waiting.is_empty() && self.timers.is_empty()) {
                break;
            }
        }
        done.append(&mut self.ended);
        Ok(())
    }

    fn cancel(&mut self, number: u32) {
        let pending = self.waiting.len() + self.timers.len();
        self.waiting.retain(|waiting| *waiting != number);
        self.timers.retain(|(_, waiting)| *waiting != number);
        if self.waiting.len() + self.timers.len() < pending {
            self.end(number, Attempt::Ended(-Errno::CANCELED.raw_os_error()));
        }
    }

    fn cancel_all(&mut self) {
        let timers = self.timers.drain(..).map(|(_, number)| number);
        for number in self.waiting.drain(..).chain(timers) {
            self.ended.push_back(Ended { number, result: -Errno::CANCELED.raw_os_error(), buffer: None });
        }
    }
}

fn poll_now(file: BorrowedFd<'_>) -> Attempt {
    let mut polled = [PollFd::from_borrowed_fd(file, PollFlags::IN)];
    match rustix::event::poll(&mut polled, Some(&Timespec::default())) {
        Ok(0) | Err(Errno::INTR) => Attempt::NotYet,
        Ok(_) => Attempt::Ended(i32::from(polled[0].revents().bits())),
        Err(error) => Attempt::Ended(-error.raw_os_error()),
    }
}

fn write(file: BorrowedFd<'_>, bytes: &[u8], offset: u64, sync: bool) -> rustix::io::Result<usize> {
    if !sync {
        return rustix::io::pwrite(file, bytes, offset);
    }
    match rustix::io::pwritev2(file, &[IoSlice::new(bytes)], offset, ReadWriteFlags::DSYNC) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
            let written = rustix::io::pwrite(file, bytes, offset)?;
            rustix::fs::fdatasync(file).map(|()| written)
        }
        other => other,
    }
}
