//! The thread-based path, while the new one is built beside it.
#![allow(missing_docs, reason = "goes away")]
pub mod backend;
pub mod sched;
pub mod volume;
