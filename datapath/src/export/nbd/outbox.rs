//! Replies on their way out: pushed by whoever completes a request, written by one thread.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::budget::Charge;
use super::pool::Pool;
use super::transmission::{Errno, Refusal, Replies};
use crate::buf::Buf;

/// Replies written with one system call, at most.
const BATCH: usize = 32;
/// The disk dropped an operation without completing it.
const LOST: Refusal = Refusal::new(Errno::Io, "the disk did not complete the request");

/// The replies of one connection.
pub(super) struct Outbox {
    replies: Replies,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Reply>,
    /// Requests that are not answered yet.
    pending: usize,
    /// No request comes any more.
    closed: bool,
}

/// A reply, and what its request was charged.
struct Reply {
    head: Vec<u8>,
    payload: Option<Buf>,
    _charge: Charge,
}

impl Outbox {
    pub(super) fn new(replies: Replies) -> Self {
        Self { replies, state: Mutex::default(), changed: Condvar::new() }
    }

    /// A request begins; its ticket answers it.
    pub(super) fn ticket(self: &Arc<Self>, cookie: u64, charge: Charge) -> Ticket {
        self.state().pending += 1;
        Ticket { outbox: Arc::clone(self), cookie, charge: Some(charge) }
    }

    /// No ticket is asked for after this.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// Writes replies until the outbox is closed and every ticket has answered. After a failed write replies are
    /// dropped, `on_failure` has been called once, and the first error is returned at the end.
    pub(super) fn write_to(&self, out: &mut dyn Write, pool: &Pool, on_failure: impl Fn()) -> io::Result<()> {
        let mut result = Ok(());
        while let Some(batch) = self.next_batch() {
            if result.is_ok() {
                result = write_batch(&batch, out).inspect_err(|_| on_failure());
            }
            batch.into_iter().filter_map(|reply| reply.payload).for_each(|payload| pool.put(payload));
        }
        result
    }

    /// Waits for replies; `None` when there will be no more.
    fn next_batch(&self) -> Option<Vec<Reply>> {
        let mut state = self.state();
        while state.ready.is_empty() {
            if state.closed && state.pending == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let len = state.ready.len().min(BATCH);
        Some(state.ready.drain(..len).collect())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right and the duty to answer one request. Dropped without an answer, it answers that the request failed.
pub(super) struct Ticket {
    outbox: Arc<Outbox>,
    cookie: u64,
    /// Taken when answered.
    charge: Option<Charge>,
}

impl Ticket {
    /// The request succeeded and carries nothing back.
    pub(super) fn done(self) {
        let head = self.outbox.replies.done(self.cookie);
        self.push(head, None);
    }

    /// The read at `offset` succeeded.
    pub(super) fn data(self, offset: u64, len: u32, payload: Buf) {
        let head = self.outbox.replies.read(self.cookie, offset, len);
        self.push(head, Some(payload));
    }

    /// The request failed.
    pub(super) fn refuse(self, refusal: &Refusal) {
        let head = self.outbox.replies.refused(self.cookie, refusal);
        self.push(head, None);
    }

    /// The block status request succeeded.
    pub(super) fn block_status(self, len: u32) {
        let head = self.outbox.replies.block_status(self.cookie, len);
        self.push(head, None);
    }

    fn push(mut self, head: Vec<u8>, payload: Option<Buf>) {
        self.answer(head, payload);
    }

    fn answer(&mut self, head: Vec<u8>, payload: Option<Buf>) {
        let Some(charge) = self.charge.take() else { return };
        let mut state = self.outbox.state();
        state.pending -= 1;
        state.ready.push_back(Reply { head, payload, _charge: charge });
        drop(state);
        self.outbox.changed.notify_one();
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.charge.is_some() {
            let head = self.outbox.replies.refused(self.cookie, &LOST);
            self.answer(head, None);
        }
    }
}

fn write_batch(batch: &[Reply], out: &mut dyn Write) -> io::Result<()> {
    let parts = batch.iter().flat_map(|reply| [&reply.head[..], reply.payload.as_ref().map_or(&[], Buf::as_slice)]);
    let mut slices: Vec<IoSlice<'_>> = parts.filter(|part| !part.is_empty()).map(IoSlice::new).collect();
    let mut left = &mut slices[..];
    while !left.is_empty() {
        match out.write_vectored(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    }
    out.flush()
}
