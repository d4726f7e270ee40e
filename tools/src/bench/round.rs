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

/// Runs `rounds` rounds on the case's threads; each slice lasts about `length`.
///
/// # Errors
/// When a thread cannot be started; those that were end at once.
pub(super) fn run(pair: &Pair, rounds: usize, length: Duration) -> io::Result<Vec<Round>> {
    let threads = pair.case.threads;
    let (slices, all_there) = (Slices::new(threads, 2 * rounds, length), OnceLock::new());
    thread::scope(|scope| {
        // A barrier waits for everybody, so nobody goes there before everybody exists.
        let work = || if *all_there.wait() { rounds_of_one(pair, &slices) } else { Vec::new() };
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

fn rounds_of_one(pair: &Pair, slices: &Slices) -> Vec<Round> {
    let mut buffer = vec![0x5a; WORKING_SET];
    let mut round = |[cipher, ceiling]: &[OnceLock<Instant>; 2]| Round {
        cipher: slices.fill(cipher, &mut buffer, |buffer| pair.encipher(buffer)),
        ceiling: slices.fill(ceiling, &mut buffer, |buffer| pair.ceiling.run(pair.case.direction, buffer)),
    };
    slices.starts.as_chunks().0.iter().map(&mut round).collect()
}

/// Slices of time that all threads share.
struct Slices {
    together: Barrier,
    /// When the first thread was seen in each slice. Where threads outnumber cores, those that come late find the slice
    /// almost over: each does a little, and the slice is not longer for it.
    starts: Vec<OnceLock<Instant>>,
    length: Duration,
}

impl Slices {
    fn new(threads: usize, count: usize, length: Duration) -> Self {
        Self { together: Barrier::new(threads), starts: vec![OnceLock::new(); count], length }
    }

    /// Waits for the other threads and works until the slice is over.
    fn fill(&self, start: &OnceLock<Instant>, buffer: &mut [u8], work: impl Fn(&mut [u8])) -> Done {
        self.together.wait();
        repeat(*start.get_or_init(Instant::now), self.length, buffer, work)
    }
}

/// Calls `work` again and again until `length` after `start`, once at least. The clock is read after batches that grow
/// to a small part of that, so that reading it costs nothing.
fn repeat(start: Instant, length: Duration, buffer: &mut [u8], work: impl Fn(&mut [u8])) -> Done {
    let (mut calls, mut batch) = (0u64, 1);
    loop {
        (0..batch).for_each(|_| work(buffer));
        calls += batch;
        let time = start.elapsed();
        if time >= length {
            return Done { bytes: calls * buffer.len() as u64, time };
        }
        if time < length / 32 {
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
        let count = |_: &mut [u8]| calls.set(calls.get() + 1);
        let done = repeat(Instant::now(), Duration::from_millis(2), &mut [0; 48], count);
        assert_eq!(done.bytes, calls.get() * 48);
        assert!(done.time >= Duration::from_millis(2));
    }

    #[test]
    fn a_thread_that_comes_after_the_end_of_a_slice_calls_once() {
        let long_ago = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
        let done = repeat(long_ago, Duration::from_millis(2), &mut [0; 48], |_| ());
        assert_eq!(done.bytes, 48);
        assert!(done.time >= Duration::from_secs(1), "its time is the slice's");
    }
}
