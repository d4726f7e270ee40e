//! The KMIP client against a real key manager: PyKMIP as it comes, and PyKMIP with what it lacks (`tests/scripts/kmip`).
//!
//! Needs python3 with venv, openssl, and PyPI once. When something is missing, every test says so and passes.

#![expect(clippy::unwrap_used, reason = "a test may stop where it is")]

mod certificates;
mod faults;
mod operations;
mod rig;
mod stock;
mod verbs;
mod versions;
