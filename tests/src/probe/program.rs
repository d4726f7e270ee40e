//! The program itself.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::rig::built;

/// The program `cipher-probe`, built once per test run and always as a release: what is looked at is the code that is
/// shipped. The profile of the tests checks every pointer that the vector engines use, which makes the loads and stores
/// of AES into several times as many instructions.
///
/// # Panics
/// When it does not build.
#[must_use]
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| built("sear-tests", "cipher-probe", true))
}
