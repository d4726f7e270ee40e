//! Life: start, the threads in the background, stop.

mod clock;
mod drives;
mod parallel;
mod start;
mod tend;
mod unlock;
mod watch;

pub(super) use parallel::in_parallel;
pub use start::{Running, StartError};
pub(super) use unlock::Retry;
