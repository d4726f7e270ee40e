//! What the program `cipher-probe` is told to do: one call of a cipher, under one secret after the other.
//!
//! The tests that watch the program ([`trace`](crate::trace), and memcheck of valgrind) write a [`Job`] and some
//! [`Secret`]s on its command line; the program reads them back with the same code.

mod job;
mod program;
mod secret;
mod subject;

pub use job::{Job, Shape};
pub use program::program;
pub use secret::Secret;
pub use subject::Subject;
