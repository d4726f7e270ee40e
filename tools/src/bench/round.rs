//! The rounds of one case: threads that start each slice of time together, each in a buffer of its own.

use std::io;
use std::panic::resume_unwind;
use std::sync::{Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use datapath::cipher::ceiling::Ceiling;
use datapath::cipher::{Cipher, Direction};

use super::plan::Case;
use super::summary::{Done, Round};

/// Bytes per call and thread: with the tables of the key they stay in the first level cache of every processor since
/// 2013, so that memory does not hide the cipher.
const WORKING_SET: usize = 16 << 10;

const _: () = assert!(WORKING_SET.is_multiple_of(Ceiling::GRANULE) && WORKING_SET.is_multiple_of(4096));

/// What a round compares.
pub(super) struct Pair {
    pub(super) cipher: Cipher,
    pub(super) ceiling: Ceiling,
    pub(super) case: Case,
}

impl Pair {
    fn encipher(&self, buffer: &mut [u8]) {
        match self.case.direction {
            Direction::Encrypt => self.cipher.encrypt(buffer, self.case.unit, 0),
            Direction::Decrypt => self.cipher.decrypt(buffer, self.case.unit, 0),
        }
    }
}

/// Runs `rounds` rounds on the case's threads; each slice lasts about `slice`.
///
/// # Errors
/// When a thread cannot be started; those that were end at once.
pub(super) fn run(pair: &Pair, rounds: u32, slice: Duration) -> io::Result<Vec<Round>> {
    let threads = pair.case.threads;
    let (start, all_there) = (Barrier::new(threads), OnceLock::new());
    thread::scope(|scope| {
        // A barrier waits for everybody, so nobody goes there before everybody exists.
        let work = || if *all_there.wait() { rounds_of_one(pair, &start, rounds, slice) } else { Vec::new() };
        let spawn = |_| thread::Builder::new().name("bench".to_owned()).spawn_scoped(scope, work);
        let spawned: io::Result<Vec<_>> = (0..threads).map(spawn).collect();
        let _first_to_say = all_there.set(spawned.is_ok());
        let finished = spawned?.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        Ok(finished.reduce(side_by_side).unwrap_or_default())
    })
}

fn side_by_side(some: Vec<Round>, others: Vec<Round>) -> Vec<Round> {
    some.into_iter().zip(others).map(|(one, other)| one.beside(other)).collect()
}

fn rounds_of_one(pair: &Pair, start: &Barrier, rounds: u32, slice: Duration) -> Vec<Round> {
    let mut buffer = vec![0x5a; WORKING_SET];
    let mut round = |_| {
        start.wait();
        let cipher = repeat(slice, &mut buffer, |buffer| pair.encipher(buffer));
        start.wait();
        let ceiling = repeat(slice, &mut buffer, |buffer| pair.ceiling.run(pair.case.direction, buffer));
        Round { cipher, ceiling }
    };
    (0..rounds).map(&mut round).collect()
}

/// Calls `work` again and again until `slice` is over. The clock is read after batches that grow to a small part of the
/// slice, so that reading it costs nothing; a slow engine is stopped after its first call.
fn repeat(slice: Duration, buffer: &mut [u8], work: impl Fn(&mut [u8])) -> Done {
    let (mut calls, mut batch) = (0u64, 1);
    let start = Instant::now();
    loop {
        (0..batch).for_each(|_| work(buffer));
        calls += batch;
        let end = Instant::now();
        if end - start >= slice {
            return Done { bytes: calls * buffer.len() as u64, start, end };
        }
        if end - start < slice / 32 {
            batch *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn every_byte_of_every_call_is_counted() {
        let calls = Cell::new(0);
        let done = repeat(Duration::from_millis(2), &mut [0; 48], |_| calls.set(calls.get() + 1));
        assert_eq!(done.bytes, calls.get() * 48);
        assert!(done.end - done.start >= Duration::from_millis(2));
    }

    #[test]
    fn an_engine_slower_than_its_slice_is_called_once() {
        let done = repeat(Duration::ZERO, &mut [0; 48], |_| ());
        assert_eq!(done.bytes, 48);
    }
}
