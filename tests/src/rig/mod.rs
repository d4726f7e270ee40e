//! Drivers for real programs: Sear itself, the tools that judge it, and mounts that always come down again.
//!
//! A driver panics with everything that the program said; in a test that is the most useful thing to do.

mod blocks;
mod built;
mod certificates;
mod cryptsetup;
mod daemon;
mod file_export;
mod fsx;
pub mod https;
mod loop_device;
mod mounted;
pub mod pypi;
mod require;
mod run;
mod sear;
mod served;
mod vm;

pub(crate) use built::built;

pub use blocks::{filled_file, pattern};
pub use certificates::Certificates;
pub use cryptsetup::Cryptsetup;
pub use daemon::{Daemon, Local, Node, Refused};
pub use file_export::FileExport;
pub use fsx::Fsx;
pub use loop_device::{LoopDevice, LoopMode};
pub use mounted::{Filesystem, Mounted};
pub use require::{Need, PYTHON, require};
pub use run::{Failure, Run, wait_until};
pub use sear::Sear;
pub use served::{Served, free_port};
pub use vm::{Outcome, RunningVm, Vm};
