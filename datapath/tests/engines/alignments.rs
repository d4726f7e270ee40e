//! Sources and destinations at every address modulo a cache line.

use datapath::cipher::Direction;
use datapath::cipher::dispatch::Engine;

use super::arena::ALIGNMENTS;
use super::probe::{Call, Place, Probe, WAYS};
use super::short;
use super::truth::{CLASSES, LONGEST, unit_len};

const DIRECTIONS: [Direction; 2] = [Direction::Encrypt, Direction::Decrypt];

/// Every pair of alignments, with every key size, unit size and direction, one to five units at a time.
pub(crate) fn every_pair(engine: Engine) {
    for class in CLASSES.iter() {
        let mut probe = Probe::new(engine, class);
        for from in 0..ALIGNMENTS {
            for to in (0..ALIGNMENTS).filter(|to| !short() || (from + to) % 16 == 0) {
                let direction = DIRECTIONS[(from ^ to ^ (to >> 1)) % 2];
                let call = Call::new((direction, Place::Copy), from, 1 + (from + 2 * to) % 5);
                probe.check(&class.edges[to % 2], Call { alignments: (from, to), ..call });
            }
        }
    }
}

/// Every alignment in place, one to nine units and some more at a time.
pub(crate) fn in_place(engine: Engine) {
    for class in CLASSES.iter() {
        let mut probe = Probe::new(engine, class);
        for to in 0..ALIGNMENTS {
            for direction in DIRECTIONS {
                for count in [1 + to % 9, 33 + to % 2] {
                    let call = Call::new((direction, Place::InPlace), to / 2, count);
                    probe.check(&class.edges[1], Call { alignments: (0, to), ..call });
                }
            }
        }
    }
}

/// Runs beyond 8 MiB at every alignment of the destination; key sizes, unit sizes and ways take turns.
pub(crate) fn long(engine: Engine) {
    for (n, class) in CLASSES.iter().enumerate() {
        let mut probe = Probe::new(engine, class);
        for to in (n..ALIGNMENTS).step_by(CLASSES.len()).take(if short() { 1 } else { 8 }) {
            let count = (LONGEST - 4096) / unit_len(class.unit) - to % 3;
            let call = Call::new(WAYS[(n + to / 8) % 4], 1, count);
            probe.check(&class.long, Call { alignments: (7 * to % 64, to), ..call });
        }
    }
    aligned_to_a_line(engine);
}

/// The destination that can be streamed to, in every way.
fn aligned_to_a_line(engine: Engine) {
    for (n, class) in CLASSES.iter().enumerate().step_by(if short() { 7 } else { 1 }) {
        let mut probe = Probe::new(engine, class);
        for (w, way) in WAYS.into_iter().enumerate().filter(|(w, _)| (w + n) % 2 == 0) {
            let call = Call::new(way, w, (8 << 20) / unit_len(class.unit) + w);
            probe.check(&class.long, Call { alignments: (8 * w + 1, 0), ..call });
        }
    }
}
