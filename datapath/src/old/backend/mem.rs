//! A backend in memory, for tests and measurements: the path without a medium.

use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use super::pool::Pool;
use super::{Backend, Op, OpKind};
use crate::disk::{Done, IoError, Outcome};
use crate::limits::{BLOCKING_WORKERS, in_memory};

/// Bytes in memory. Nothing outlives the last clone of [`MemBackend::bytes`].
pub struct MemBackend {
    bytes: Arc<RwLock<Vec<u8>>>,
    len: u64,
    pool: Pool,
}

impl MemBackend {
    /// `len` zero bytes.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn new(len: u64) -> io::Result<Self> {
        let bytes = Arc::new(RwLock::new(vec![0; in_memory(len)]));
        Ok(Self { bytes, len, pool: Pool::start(BLOCKING_WORKERS)? })
    }

    /// The stored bytes, to be looked at or changed behind the backend's back.
    #[must_use]
    pub fn bytes(&self) -> Arc<RwLock<Vec<u8>>> {
        Arc::clone(&self.bytes)
    }
}

impl Backend for MemBackend {
    fn len(&self) -> u64 {
        self.len
    }

    fn submit(&self, mut op: Op, done: Done) {
        let bytes = Arc::clone(&self.bytes);
        self.pool.run(move || {
            let result = perform(&bytes, &mut op);
            done(Outcome { buf: op.buf, result });
        });
    }
}

fn perform(bytes: &RwLock<Vec<u8>>, op: &mut Op) -> Result<(), IoError> {
    let range = in_memory(op.offset)..in_memory(op.offset.saturating_add(op.len));
    match op.kind {
        OpKind::Read => {
            let bytes = bytes.read().unwrap_or_else(PoisonError::into_inner);
            op.buf.as_mut_slice().copy_from_slice(bytes.get(range).ok_or(IoError::OutOfRange)?);
        }
        OpKind::Write { .. } => {
            let mut bytes = bytes.write().unwrap_or_else(PoisonError::into_inner);
            bytes.get_mut(range).ok_or(IoError::OutOfRange)?.copy_from_slice(op.buf.as_slice());
        }
        OpKind::Discard => {
            let mut bytes = bytes.write().unwrap_or_else(PoisonError::into_inner);
            bytes.get_mut(range).ok_or(IoError::OutOfRange)?.fill(0);
        }
        OpKind::Flush => {}
    }
    Ok(())
}
