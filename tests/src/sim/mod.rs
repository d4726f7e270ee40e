//! A medium that fails on purpose: power cuts at any write or sync, torn and reordered writes, a full or broken disk.
//!
//! A run is counted first, then repeated with a fault at each step:
//! ```text
//! count:  write sync write sync           → 4 steps
//! cut 2:  write sync write ╳              → images of what may be left: each is opened and judged
//! ```

mod image;
mod medium;

pub use image::{Image, SECTOR};
pub use medium::{Fault, SimMedium};
