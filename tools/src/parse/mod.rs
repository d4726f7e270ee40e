//! What people type, turned into types: sizes and listen addresses.

mod listen;
mod size;

pub(crate) use listen::Listen;
pub(crate) use size::size;
