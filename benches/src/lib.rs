//! What the benchmarks share: a volume to load, a way to load it, and the machine they run on.
#![forbid(unsafe_code)]

pub mod load;
pub mod machine;
pub mod nbd;
pub mod record;
pub mod volume;
