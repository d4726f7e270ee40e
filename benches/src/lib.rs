//! What the benchmarks share: a volume to load, a way to load it, the machine they run on, an order and a median.
#![forbid(unsafe_code)]

pub mod awake;
pub mod load;
pub mod machine;
pub mod nbd;
pub mod record;
pub mod shuffle;
pub mod stats;
pub mod volume;
