//! What is made once and kept: PyKMIP in a virtual environment, and certificates.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The start of the name of a run's folder; the number of its process follows.
const RUN: &str = "run-";

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
        remove_earlier_runs(&folder);
        let prepared = Self { folder };
        // Certificates expire, so they are made for every run.
        run("make-pki", &prepared.pki())?;
        Ok(prepared)
    }

    /// What this run of the tests leaves behind; the next one removes it.
    fn run_folder(&self) -> PathBuf {
        self.folder.join(format!("{RUN}{}", std::process::id()))
    }

    /// The folder of the certificates and keys.
    pub(crate) fn pki(&self) -> PathBuf {
        self.run_folder().join("pki")
    }

    /// The Python that has PyKMIP.
    pub(crate) fn python(&self) -> PathBuf {
        self.folder.join("python/venv/bin/python")
    }

    /// A new folder for a server's database.
    pub(crate) fn database(&self) -> tempfile::TempDir {
        tempfile::tempdir_in(self.run_folder()).unwrap()
    }
}

/// Folders of runs whose process is gone; the server that tests share never gets to remove its own.
fn remove_earlier_runs(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(process) = name.strip_prefix(RUN) else { continue };
        if !Path::new("/proc").join(process).exists() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
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
