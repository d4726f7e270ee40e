//! What people type, turned into types: sizes, times and listen addresses.

mod listen;
mod seconds;
mod sector;
mod size;

pub(crate) use listen::Listen;
pub(crate) use seconds::seconds;
pub(crate) use sector::sector_size;
pub(crate) use size::size;
