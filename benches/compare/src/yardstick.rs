//! What memory itself gives: loops that read and write every byte and do nothing else. None is the best on every machine,
//! so a race takes all and is measured by the fastest.

use std::hint::black_box;

use crate::harness::{Contestant, Lane, Work};

/// Bytes that a loop which looks ahead handles between two looks.
const BLOCK: usize = 4096;
/// Bytes of a cache line.
const LINE: usize = 64;

/// A loop over bytes.
type Shape = fn(&mut [u8]);

/// The shapes of a read-and-write loop, by name.
const IN_PLACE: [(&str, Shape); 3] =
    [("loop, words", words), ("loop, lines ahead", lines_ahead), ("loop, two streams", two_streams)];

/// Every shape of the read-and-write loop on so many lanes.
pub(crate) fn in_place(lanes: usize) -> Vec<Contestant> {
    let contestant = |(name, shape): (&str, Shape)| {
        let work = || -> Work { Box::new(move |lane: &mut Lane<'_>| shape(lane.data)) };
        Contestant { name: name.to_owned(), lanes: (0..lanes).map(|_| work()).collect() }
    };
    IN_PLACE.into_iter().map(contestant).collect()
}

/// The names of [`in_place`].
pub(crate) fn in_place_names() -> Vec<String> {
    IN_PLACE.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// The name of [`memcpy`].
pub(crate) const MEMCPY: &str = "memcpy";

/// The C library's own copy, as `copy_from_slice` calls it.
pub(crate) fn memcpy(lanes: usize) -> Contestant {
    let work = || -> Work { Box::new(|lane: &mut Lane<'_>| black_box(&mut *lane.out).copy_from_slice(lane.data)) };
    Contestant { name: MEMCPY.to_owned(), lanes: (0..lanes).map(|_| work()).collect() }
}

/// From the first word to the last; the compiler makes vectors of them.
fn words(data: &mut [u8]) {
    let pattern = black_box(0x0123_4567_89ab_cdef_u64);
    for word in data.as_chunks_mut::<8>().0 {
        *word = (u64::from_ne_bytes(*word) ^ pattern).to_ne_bytes();
    }
}

/// The same, but a byte of every line two blocks ahead is read first: a prefetch in safe code.
fn lines_ahead(data: &mut [u8]) {
    for at in (0..data.len()).step_by(BLOCK) {
        let ahead = data.get(at + 2 * BLOCK..).unwrap_or_default();
        let lines = ahead.iter().take(BLOCK).step_by(LINE);
        black_box(lines.fold(0, |sum, byte| sum ^ byte));
        let end = data.len().min(at + BLOCK);
        words(&mut data[at..end]);
    }
}

/// Both halves side by side, a block of each in turn: two streams for the processor's prefetcher.
fn two_streams(data: &mut [u8]) {
    let (front, back) = data.split_at_mut(data.len() / 2);
    for (front, back) in front.chunks_mut(BLOCK).zip(back.chunks_mut(BLOCK)) {
        words(front);
        words(back);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_changes_every_word_once() {
        for (name, shape) in IN_PLACE {
            let mut data = vec![0; 8 * BLOCK];
            shape(&mut data);
            assert!(
                data.as_chunks::<8>().0.iter().all(|word| u64::from_ne_bytes(*word) == 0x0123_4567_89ab_cdef),
                "{name}"
            );
        }
    }
}
