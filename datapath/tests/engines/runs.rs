//! Runs of every length, at every edge of the tweak.

use datapath::cipher::dispatch::Engine;

use super::probe::{Call, Probe, WAYS};
use super::short;
use super::truth::{AROUND, CLASSES, Class, LONGEST, unit_len};

/// Counts around the sizes at which engines change their ways: slabs, registers in flight, groups of tweaks.
const TELLING: [usize; 16] = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 71];

/// Every count of units up to [`AROUND`], with the edge of the tweak in the middle.
pub(crate) fn every_count(engine: Engine) {
    for class in CLASSES.iter() {
        let mut probe = Probe::new(engine, class);
        for (n, edge) in class.edges.iter().enumerate() {
            for count in (0..=AROUND).filter(|count| TELLING.contains(count) || n < 2 && !short()) {
                for way in WAYS {
                    probe.check(edge, Call::new(way, (AROUND - count) / 2, count));
                }
            }
        }
    }
}

/// The same in little: what a lesser processor's engine is tried with.
pub(crate) fn telling(engine: Engine) {
    for class in CLASSES.iter() {
        let mut probe = Probe::new(engine, class);
        for edge in &class.edges {
            for (way, count) in TELLING.into_iter().enumerate() {
                probe.check(edge, Call::new(WAYS[way % WAYS.len()], (AROUND - count) / 2, count));
            }
        }
    }
}

/// Bytes around which a run is tried: prefetching, threads and streaming begin at some of them.
const SIZES: [usize; 7] = [64 << 10, 128 << 10, 256 << 10, 512 << 10, 1 << 20, 4 << 20, 8 << 20];

/// Runs a unit shorter, as long, a unit longer and seven units longer than each of [`SIZES`].
pub(crate) fn long(engine: Engine) {
    for (n, class) in CLASSES.iter().enumerate() {
        let mut probe = Probe::new(engine, class);
        for (m, count) in counts(class).enumerate() {
            let start = if count * unit_len(class.unit) < LONGEST / 2 { count % 64 } else { 0 };
            for (w, way) in WAYS.into_iter().enumerate().filter(|(w, _)| all_ways(class, count) || (n + m + w) % 4 == 0)
            {
                let call = Call { alignments: (16 * w, 8 * m % 64), ..Call::new(way, start, count) };
                probe.check(&class.long, call);
            }
        }
        probe.check(&class.long, Call::new(WAYS[n % 4], 0, LONGEST / unit_len(class.unit)));
    }
}

fn counts(class: &Class) -> impl Iterator<Item = usize> {
    let len = unit_len(class.unit);
    SIZES.into_iter().flat_map(move |size| [size / len - 1, size / len, size / len + 1, size / len + 7])
}

/// The longest runs take turns.
fn all_ways(class: &Class, count: usize) -> bool {
    count * unit_len(class.unit) < 1 << 20 && !short()
}
