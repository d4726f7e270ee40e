//! The latch: once a write or a sync has failed, nothing more is changed and nothing more is promised.
//!
//! After a failed `fsync` Linux drops the dirty pages and reports success to the next caller, so a flush that succeeds
//! later says nothing about what was written before. The first failure is reported to its owner; from then on writes,
//! discards and flushes are refused with [`IoError::Latched`], and reads go on. Only opening anew resets it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Backend, Op, OpKind};
use crate::disk::{Done, IoError, Outcome};

/// A backend that refuses changes after a failed one.
pub struct Latch {
    inner: Box<dyn Backend>,
    tripped: Arc<AtomicBool>,
}

impl Latch {
    /// Stands before `inner`.
    #[must_use]
    pub fn new(inner: Box<dyn Backend>) -> Self {
        Self { inner, tripped: Arc::default() }
    }
}

impl Backend for Latch {
    fn len(&self) -> u64 {
        self.inner.len()
    }

    fn submit(&self, op: Op, done: Done) {
        if op.kind == OpKind::Read {
            return self.inner.submit(op, done);
        }
        if self.tripped.load(Ordering::SeqCst) {
            return done(Outcome { buf: op.buf, result: Err(IoError::Latched) });
        }
        let tripped = Arc::clone(&self.tripped);
        // A failed discard leaves the range unspecified, which it is allowed to be anyway.
        let matters = op.kind != OpKind::Discard;
        self.inner.submit(
            op,
            Box::new(move |outcome| {
                if let (true, Err(error)) = (matters, &outcome.result) {
                    tripped.store(true, Ordering::SeqCst);
                    tracing::error!(%error, "a write or sync failed; the volume refuses changes until it is reopened");
                }
                done(outcome);
            }),
        );
    }
}
