//! The calls that are looked at.

use datapath::cipher::Direction::{Decrypt, Encrypt};
use datapath::cipher::dispatch::EngineName;
use keywrap::geometry::SectorSize::{B512, B4096};
use sear_tests::probe::{Job, Shape, Subject};

/// Every shape of run, with lengths that are no multiple of the blocks that any engine takes at a time.
const RUNS: [(Shape, usize); 4] = [
    (Shape::InPlace(B512), 11 * 512),
    (Shape::InPlace(B4096), 2 * 4096),
    (Shape::Copied(B512), 11 * 512),
    (Shape::Copied(B4096), 2 * 4096),
];

/// The same for an engine of which only the path is looked at, and which has one way of doing things.
const SHORT_RUNS: [(Shape, usize); 2] = [(Shape::InPlace(B512), 2 * 512), (Shape::InPlace(B4096), 4096)];

/// One data unit with and without a partial block at its end.
const UNITS: [(Shape, usize); 2] = [(Shape::OneUnit, 256 + 15), (Shape::OneUnit, 272)];

/// Runs of whole data units. The engine that takes hundreds of instructions for a block has none: it does the same in
/// [`units`].
pub(crate) fn runs(engine: EngineName) -> Vec<Job> {
    match engine {
        EngineName::XtsMode => Vec::new(),
        EngineName::Portable => jobs(engine, &SHORT_RUNS),
        _ => jobs(engine, &RUNS),
    }
}

/// Single data units of any length.
pub(crate) fn units(engine: EngineName) -> Vec<Job> {
    match engine {
        EngineName::XtsMode => jobs(engine, &UNITS[..1]),
        _ => jobs(engine, &UNITS),
    }
}

/// Whether all of an engine's secrets stay in vector registers.
pub(crate) fn is_vector(engine: EngineName) -> bool {
    matches!(engine, EngineName::Vaes512 | EngineName::Vaes256 | EngineName::AesNi)
}

fn jobs(engine: EngineName, shapes: &[(Shape, usize)]) -> Vec<Job> {
    let each = |&(shape, len)| [Encrypt, Decrypt].map(|direction| (direction, shape, len));
    let all = shapes.iter().flat_map(each);
    all.map(|(direction, shape, len)| Job { subject: Subject::Engine(engine), direction, shape, len }).collect()
}
