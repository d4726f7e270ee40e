//! A file on a medium that loses power: of what was not synced, any 512-byte sectors and lengths survive.

use std::io;

use super::LogFile;

pub(super) const SECTOR: usize = 512;

enum Change {
    Bytes { at: usize, bytes: Vec<u8> },
    Len(usize),
}

/// Fails after a number of steps.
pub(super) struct SimFile {
    durable: Vec<u8>,
    pending: Vec<Change>,
    steps_left: usize,
}

impl SimFile {
    pub(super) fn new(durable: &[u8], steps_left: usize) -> Self {
        Self { durable: durable.to_vec(), pending: Vec::new(), steps_left }
    }

    fn step(&mut self) -> io::Result<()> {
        self.steps_left = self.steps_left.checked_sub(1).ok_or_else(|| io::Error::other("power cut"))?;
        Ok(())
    }

    /// What is there afterwards. Seed 0 loses nothing; others toss coins.
    pub(super) fn after_crash(&self, seed: u64) -> Vec<u8> {
        let mut state = seed;
        let mut survives = || {
            // Knuth's MMIX generator; its top bit.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed == 0 || state >> 63 == 1
        };
        let mut image = self.durable.clone();
        self.pending.iter().filter(|_| survives()).for_each(|change| apply(&mut image, change));
        image
    }
}

fn apply(image: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Len(len) => image.resize(*len, 0),
        Change::Bytes { at, bytes } => {
            image.resize(image.len().max(at + bytes.len()), 0);
            image[*at..at + bytes.len()].copy_from_slice(bytes);
        }
    }
}

impl LogFile for SimFile {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.step()?;
        let (mut at, mut rest) = (usize::try_from(at).unwrap(), bytes);
        while !rest.is_empty() {
            let (sector, after) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
            self.pending.push(Change::Bytes { at, bytes: sector.to_vec() });
            at += sector.len();
            rest = after;
        }
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.step()?;
        self.pending.push(Change::Len(usize::try_from(len).unwrap()));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.step()?;
        self.durable = self.after_crash(0);
        self.pending.clear();
        Ok(())
    }
}
