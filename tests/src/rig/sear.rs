//! The program `sear`, with a state directory of its own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use super::built::built;
use super::run::Run;
use super::served::Served;

/// One installation of Sear: the program and a fresh state directory, removed at the end.
pub struct Sear {
    folder: TempDir,
}

impl Sear {
    /// A fresh state directory.
    ///
    /// # Panics
    /// When no temporary folder can be made.
    #[must_use]
    pub fn new() -> Self {
        Self { folder: TempDir::with_prefix("sear-test-").expect("a temporary folder can be made") }
    }

    /// The state directory.
    #[must_use]
    pub fn state_dir(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A path in a folder that goes away with this installation.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `sear --state-dir DIR`, ready for a verb.
    #[must_use]
    pub fn run(&self) -> Run {
        let program = program().to_str().expect("the target folder has a UTF-8 name");
        Run::new(program).arg("--state-dir").arg(self.state_dir())
    }

    /// Starts `sear up VOLUME` with more arguments, and waits until it serves.
    pub fn up<A: AsRef<OsStr>>(&self, volume: &Path, arguments: impl IntoIterator<Item = A>) -> Served {
        Served::start(self, volume, arguments)
    }

    /// What `sear --json VERB...` prints.
    ///
    /// # Panics
    /// When it fails or prints something else than one JSON value.
    pub fn json<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Value {
        let text = self.run().arg("--json").args(arguments).ok();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("not JSON ({error}): {text}"))
    }

    /// The key that opens the volume's keyslot, written to a file that `cryptsetup --key-file` takes.
    pub fn export_key(&self, volume: &Path) -> PathBuf {
        let file = self.path("keyslot.key");
        let _ = std::fs::remove_file(&file);
        self.run().words("volume export-key").arg(volume).arg("--output").arg(&file).ok();
        file
    }
}

impl Default for Sear {
    fn default() -> Self {
        Self::new()
    }
}

/// The program, built once per test run in the profile of the tests. `SEAR_BIN` names another one.
///
/// # Panics
/// When it does not build.
pub(super) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        std::env::var_os("SEAR_BIN").map_or_else(|| built("sear", "sear", !cfg!(debug_assertions)), PathBuf::from)
    })
}
