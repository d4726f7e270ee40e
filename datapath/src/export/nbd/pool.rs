//! Buffers of one connection, used again: most of its requests are of few sizes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::buf::Buf;

/// Idle buffers kept for one connection, in bytes.
const MAX_IDLE: usize = 16 << 20;

/// The idle buffers of a connection. They never pass to another client: a buffer holds what it last carried.
#[derive(Default)]
pub(super) struct Pool(Mutex<Idle>);

#[derive(Default)]
struct Idle {
    by_len: HashMap<usize, Vec<Buf>>,
    bytes: usize,
}

impl Pool {
    /// A buffer of `len` bytes with whatever content.
    pub(super) fn take(&self, len: usize) -> Buf {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recycled = idle.by_len.get_mut(&len).and_then(Vec::pop);
        idle.bytes -= recycled.as_ref().map_or(0, Buf::len);
        drop(idle);
        recycled.unwrap_or_else(|| Buf::zeroed(len))
    }

    /// Keeps a buffer for the next taker. When there are too many, sizes have changed: all are dropped.
    pub(super) fn put(&self, buf: Buf) {
        if buf.is_empty() || buf.len() > MAX_IDLE {
            return;
        }
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.bytes + buf.len() > MAX_IDLE {
            *idle = Idle::default();
        }
        idle.bytes += buf.len();
        idle.by_len.entry(buf.len()).or_default().push(buf);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_for_its_own_length_only() {
        let pool = Pool::default();
        let mut buf = Buf::zeroed(4096);
        buf.as_mut_slice()[0] = 7;
        pool.put(buf);
        assert_eq!(pool.take(512).as_slice()[0], 0);
        assert_eq!(pool.take(4096).as_slice()[0], 7);
        assert_eq!(pool.take(4096).as_slice()[0], 0);
    }

    #[test]
    fn idle_buffers_stay_below_their_limit() {
        let pool = Pool::default();
        for len in (1..200).map(|n| n << 16) {
            pool.put(Buf::zeroed(len));
            assert!(pool.0.lock().unwrap().bytes <= MAX_IDLE);
        }
    }
}
