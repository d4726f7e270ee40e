//! What memory itself gives: loops that read and write every byte and do nothing else. One goes from front to back, as
//! the cipher does; the others feed the processor's prefetcher with two streams at once.

use std::hint::black_box;

use crate::harness::{Contestant, Lane, Work};

/// Bytes of a page.
const PAGE: usize = 4096;
/// Bytes of a cache line.
const LINE: usize = 64;

/// A loop over bytes.
type Shape = fn(&mut [u8]);

/// The shapes of a read-and-write loop, by name.
const IN_PLACE: [(&str, Shape); 3] = [(WORDS, words), (TWO_STREAMS[0], pages_of_two), (TWO_STREAMS[1], lines_of_two)];

/// The name of the plain loop.
pub(crate) const WORDS: &str = "loop";
/// The names of the others.
pub(crate) const TWO_STREAMS: [&str; 2] = ["loop, two streams by page", "loop, two streams by line"];

/// Every shape of the read-and-write loop on so many lanes.
pub(crate) fn in_place(lanes: usize) -> Vec<Contestant> {
    let contestant = |(name, shape): (&str, Shape)| {
        let work = || -> Work { Box::new(move |lane: &mut Lane<'_>| shape(lane.data)) };
        Contestant { name: name.to_owned(), lanes: (0..lanes).map(|_| work()).collect(), pooled: false }
    };
    IN_PLACE.into_iter().map(contestant).collect()
}

/// The name of [`memcpy`].
pub(crate) const MEMCPY: &str = "memcpy";

/// The C library's own copy, as `copy_from_slice` calls it.
pub(crate) fn memcpy(lanes: usize) -> Contestant {
    let work = || -> Work { Box::new(|lane: &mut Lane<'_>| black_box(&mut *lane.out).copy_from_slice(lane.data)) };
    Contestant { name: MEMCPY.to_owned(), lanes: (0..lanes).map(|_| work()).collect(), pooled: false }
}

/// The name of [`streaming_copy`].
pub(crate) const STREAMING_COPY: &str = "copy with streaming stores";

/// A copy past the caches, where the processor can: the best that memory gives a copy.
pub(crate) fn streaming_copy(lanes: usize) -> Option<Contestant> {
    streamed(&[], &mut [])?;
    let work = || -> Work {
        Box::new(|lane: &mut Lane<'_>| {
            streamed(lane.data, black_box(&mut *lane.out)).expect("the arena is aligned");
        })
    };
    Some(Contestant { name: STREAMING_COPY.to_owned(), lanes: (0..lanes).map(|_| work()).collect(), pooled: false })
}

#[cfg(target_arch = "x86_64")]
use crate::peers::streaming::copy as streamed;

#[cfg(not(target_arch = "x86_64"))]
fn streamed(_: &[u8], _: &mut [u8]) -> Option<()> {
    None
}

/// From the first word to the last; the compiler makes vectors of them.
fn words(data: &mut [u8]) {
    xor(data, pattern());
}

fn xor(data: &mut [u8], pattern: u64) {
    for word in data.as_chunks_mut::<8>().0 {
        *word = (u64::from_ne_bytes(*word) ^ pattern).to_ne_bytes();
    }
}

/// A number that the compiler does not know.
fn pattern() -> u64 {
    black_box(0x0123_4567_89ab_cdef)
}

/// Both halves side by side, a page of each in turn: two streams for the processor's prefetcher.
fn pages_of_two(data: &mut [u8]) {
    let pattern = pattern();
    let (front, back) = data.split_at_mut(data.len() / 2);
    for (front, back) in front.chunks_mut(PAGE).zip(back.chunks_mut(PAGE)) {
        xor(front, pattern);
        xor(back, pattern);
    }
}

/// Both halves side by side, a line of each in turn.
fn lines_of_two(data: &mut [u8]) {
    let pattern = pattern();
    let (front, back) = data.split_at_mut(data.len() / 2);
    for (front, back) in front.as_chunks_mut::<LINE>().0.iter_mut().zip(back.as_chunks_mut::<LINE>().0) {
        xor(front, pattern);
        xor(back, pattern);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_changes_every_word_once() {
        for (name, shape) in IN_PLACE {
            let mut data = vec![0; 8 * PAGE];
            shape(&mut data);
            assert!(
                data.as_chunks::<8>().0.iter().all(|word| u64::from_ne_bytes(*word) == 0x0123_4567_89ab_cdef),
                "{name}"
            );
        }
    }
}
