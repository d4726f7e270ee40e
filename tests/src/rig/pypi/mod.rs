//! What tests take from PyPI, each in a virtual environment of its own below the target folder: PyKMIP, a key manager,
//! and the public SDK of the Element API.
//!
//! The tests of `ekm-bridge` include this folder as well, so it uses nothing else of this crate.

mod prepared;
mod server;
mod venv;

pub use prepared::Prepared;
pub use server::{Server, Start, shared};
pub use venv::{or_skip, sdk};
