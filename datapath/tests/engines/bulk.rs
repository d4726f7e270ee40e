//! Long runs over several cores: the same bytes, whichever thread asks.

use datapath::cipher::dispatch::Engine;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::probe::{Call, Method, Probe, WAYS};
use super::short;
use super::truth::{CLASSES, LONGEST, unit_len};

/// Bytes around which a run is tried: pieces, the threshold of 512 KiB, and what is streamed.
const SIZES: [usize; 5] = [128 << 10, 512 << 10, 640 << 10, 1 << 20, 8 << 20];

/// Each length from outside of a pool and inside of small and larger ones, also more threads than there are cores.
pub(crate) fn every_length(engine: Engine) {
    let pools: Vec<ThreadPool> = [1, 2, 3, 8].into_iter().map(pool).collect();
    let mut turn = 0;
    for class in CLASSES.iter() {
        let mut probe = Probe::new(engine, class);
        for size in SIZES {
            for units in [size / unit_len(class.unit) - 1, size / unit_len(class.unit), size / unit_len(class.unit) + 3]
            {
                let start = if size < LONGEST / 2 { units % 50 } else { 0 };
                for way in ways(size, turn) {
                    let alignments = (turn % 64, 16 * turn % 64);
                    let call = Call { alignments, method: Method::Bulk, ..Call::new(way, start, units) };
                    match turn % (pools.len() + 1) {
                        0 => probe.check(&class.long, call),
                        n => pools[n - 1].install(|| probe.check(&class.long, call)),
                    }
                    turn += 1;
                }
            }
        }
    }
}

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

/// All ways, of which the longest runs take one at a time.
fn ways(size: usize, turn: usize) -> Vec<(datapath::cipher::Direction, super::probe::Place)> {
    if size < 1 << 20 && !short() { WAYS.to_vec() } else { vec![WAYS[turn % 4]] }
}
