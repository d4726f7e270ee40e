//! What is made once and kept: PyKMIP in a virtual environment, and certificates.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Everything that a server needs to start.
pub(crate) struct Prepared {
    folder: PathBuf,
}

impl Prepared {
    /// Prepares everything, once; `None`, with the reason printed, when this machine lacks something. In the CI, where
    /// nothing is skipped, that is a failure.
    pub(crate) fn or_skip(test: &str) -> Option<&'static Self> {
        static PREPARED: OnceLock<Result<Prepared, String>> = OnceLock::new();
        match PREPARED.get_or_init(Self::prepare) {
            Ok(prepared) => Some(prepared),
            Err(reason) => {
                let message = format!("{test}: skipped, because {reason}");
                assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{message}");
                println!("{message}");
                None
            }
        }
    }

    fn prepare() -> Result<Self, String> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kmip");
        run("make-venv", &folder.join("python"))?;
        // Certificates expire: they are made for every run, in a folder of this process.
        let pki = folder.join(format!("pki-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&pki);
        run("make-pki", &pki)?;
        Ok(Self { folder })
    }

    /// The folder of the certificates and keys.
    pub(crate) fn pki(&self) -> PathBuf {
        self.folder.join(format!("pki-{}", std::process::id()))
    }

    /// The Python that has PyKMIP.
    pub(crate) fn python(&self) -> PathBuf {
        self.folder.join("python/venv/bin/python")
    }

    /// A new folder for a server's database.
    pub(crate) fn database(&self) -> tempfile::TempDir {
        tempfile::tempdir_in(&self.folder).unwrap()
    }
}

/// The scripts of the repository.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scripts/kmip").join(name)
}

fn run(name: &str, folder: &Path) -> Result<(), String> {
    let outcome = Command::new("bash").arg(script(name)).arg(folder).output();
    let output = outcome.map_err(|error| format!("bash cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{name} failed: {}", said.trim().lines().last().unwrap_or("without a word")))
}
