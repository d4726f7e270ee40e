//! A backend whose power fails: what was not flushed is lost, kept, or kept in part, sector by sector and in any order.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use datapath::backend::Backend;

use super::history::Random;

/// A medium with a volatile cache. Clones share it.
#[derive(Clone)]
pub(crate) struct PowerCut(Arc<Mutex<Medium>>);

struct Medium {
    sector: usize,
    /// What reads see.
    cached: Vec<u8>,
    /// What is left when the power fails and luck with it.
    durable: Vec<u8>,
    /// Sectors that were written since the last flush: where, and what.
    pending: Vec<(usize, Vec<u8>)>,
    calls: usize,
    /// The call at which the power fails.
    cut_at: usize,
}

impl PowerCut {
    /// `len` zero bytes, until the power fails at call number `cut_at`.
    pub(crate) fn new(len: usize, sector: usize, cut_at: usize) -> Self {
        let (cached, durable) = (vec![0; len], vec![0; len]);
        Self(Arc::new(Mutex::new(Medium { sector, cached, durable, pending: Vec::new(), calls: 0, cut_at })))
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> usize {
        self.lock().calls
    }

    /// What the medium holds when the power is back. Each pending sector made it or not; of several writes to one, any.
    pub(crate) fn after_the_cut(&self, random: &mut Random) -> Vec<u8> {
        let mut medium = self.lock();
        let mut left = std::mem::take(&mut medium.durable);
        let mut pending = std::mem::take(&mut medium.pending);
        while !pending.is_empty() {
            let (at, bytes) = pending.swap_remove(random.below(pending.len()));
            if random.below(2) == 0 {
                left[at..at + bytes.len()].copy_from_slice(&bytes);
            }
        }
        left
    }

    fn lock(&self) -> MutexGuard<'_, Medium> {
        self.0.lock().unwrap()
    }

    /// Counts a call; whether the power still is there when it ends. The call that it fails in may have an effect.
    fn call(&self) -> (MutexGuard<'_, Medium>, io::Result<()>, bool) {
        let mut medium = self.lock();
        medium.calls += 1;
        let (over, now) = (medium.calls > medium.cut_at + 1, medium.calls == medium.cut_at + 1);
        let result = if over || now { Err(io::Error::other("the power has failed")) } else { Ok(()) };
        (medium, result, !over)
    }
}

impl Medium {
    fn write(&mut self, bytes: &[u8], offset: usize) {
        self.cached[offset..offset + bytes.len()].copy_from_slice(bytes);
        for (at, bytes) in (offset..).step_by(self.sector).zip(bytes.chunks(self.sector)) {
            self.pending.push((at, bytes.to_vec()));
        }
    }

    /// What is pending in the range is on the medium from now on.
    fn settle(&mut self, range: std::ops::Range<usize>) {
        for (at, bytes) in self.pending.extract_if(.., |(at, _)| range.contains(at)) {
            self.durable[at..at + bytes.len()].copy_from_slice(&bytes);
        }
    }
}

impl Backend for PowerCut {
    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().cached.len() as u64)
    }

    fn read(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let (medium, result, _) = self.call();
        buf.copy_from_slice(&medium.cached[usize::try_from(offset).unwrap()..][..buf.len()]);
        result
    }

    fn write(&self, buf: &[u8], offset: u64, sync: bool) -> io::Result<()> {
        let (mut medium, result, effect) = self.call();
        let offset = usize::try_from(offset).unwrap();
        if effect {
            medium.write(buf, offset);
        }
        if sync && result.is_ok() {
            medium.settle(offset..offset + buf.len());
        }
        result
    }

    fn discard(&self, offset: u64, len: u64) -> io::Result<()> {
        let (mut medium, result, effect) = self.call();
        if effect {
            medium.write(&vec![0; usize::try_from(len).unwrap()], usize::try_from(offset).unwrap());
        }
        result
    }

    fn flush(&self) -> io::Result<()> {
        let (mut medium, result, _) = self.call();
        if result.is_ok() {
            let len = medium.cached.len();
            medium.settle(0..len);
        }
        result
    }
}
