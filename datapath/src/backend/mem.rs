//! A backend in memory, for tests and measurements: the path without a medium.

use std::io;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use super::Backend;
use crate::limits::in_memory;

/// Bytes in memory. Nothing outlives the last clone of [`MemBackend::bytes`].
pub struct MemBackend {
    bytes: Arc<RwLock<Vec<u8>>>,
}

impl MemBackend {
    /// `len` zero bytes.
    #[must_use]
    pub fn new(len: u64) -> Self {
        Self { bytes: Arc::new(RwLock::new(vec![0; in_memory(len)])) }
    }

    /// The stored bytes, to be looked at or changed behind the backend's back.
    #[must_use]
    pub fn bytes(&self) -> Arc<RwLock<Vec<u8>>> {
        Arc::clone(&self.bytes)
    }

    fn change(&self, range: Range<usize>, change: impl FnOnce(&mut [u8])) -> io::Result<()> {
        let mut bytes = self.bytes.write().unwrap_or_else(PoisonError::into_inner);
        change(bytes.get_mut(range).ok_or_else(beyond_end)?);
        Ok(())
    }
}

impl Backend for MemBackend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.read().unwrap_or_else(PoisonError::into_inner).len() as u64)
    }

    fn read(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let bytes = self.bytes.read().unwrap_or_else(PoisonError::into_inner);
        buf.copy_from_slice(bytes.get(range(offset, buf.len() as u64)).ok_or_else(beyond_end)?);
        Ok(())
    }

    fn write(&self, buf: &[u8], offset: u64, _: bool) -> io::Result<()> {
        self.change(range(offset, buf.len() as u64), |bytes| bytes.copy_from_slice(buf))
    }

    fn discard(&self, offset: u64, len: u64) -> io::Result<()> {
        self.change(range(offset, len), |bytes| bytes.fill(0))
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

fn range(offset: u64, len: u64) -> Range<usize> {
    in_memory(offset)..in_memory(offset.saturating_add(len))
}

fn beyond_end() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the range reaches beyond the end of the memory")
}
