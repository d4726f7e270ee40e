//! What is made once and kept: PyKMIP in a virtual environment, and certificates.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::venv::{kept, or_skip, python_with, run};

/// The start of the name of a run's folder; the number of its process follows.
const RUN: &str = "run-";

/// Everything that a server needs to start.
pub struct Prepared {
    folder: PathBuf,
    python: PathBuf,
}

impl Prepared {
    /// Prepares everything, once; `None`, with the reason printed, when this machine lacks something. In the CI, where
    /// nothing is skipped, that is a failure.
    pub fn or_skip() -> Option<&'static Self> {
        static PREPARED: OnceLock<Result<Prepared, String>> = OnceLock::new();
        or_skip(PREPARED.get_or_init(Self::prepare).as_ref().map_err(Clone::clone))
    }

    fn prepare() -> Result<Self, String> {
        let folder = kept().join("kmip");
        let python = python_with("kmip/python", "PyKMIP==0.11.0", "kmip.services.server")?;
        remove_earlier_runs(&folder);
        let prepared = Self { folder, python };
        // Certificates expire, so they are made for every run.
        run("kmip/make-pki", [prepared.pki().as_os_str()])?;
        Ok(prepared)
    }

    /// What this run of the tests leaves behind; the next one removes it.
    fn run_folder(&self) -> PathBuf {
        self.folder.join(format!("{RUN}{}", std::process::id()))
    }

    /// The folder of the certificates and keys.
    #[must_use]
    pub fn pki(&self) -> PathBuf {
        self.run_folder().join("pki")
    }

    /// The Python that has PyKMIP.
    #[must_use]
    pub fn python(&self) -> &Path {
        &self.python
    }

    /// A new folder for a server's database.
    pub(super) fn database(&self) -> tempfile::TempDir {
        tempfile::tempdir_in(self.run_folder()).expect("a folder can be made in that of the run")
    }

    /// A client's certificate, in PEM, for this request: the authority of the servers has signed it, as an administrator
    /// lets it do.
    ///
    /// # Panics
    /// When `openssl` fails.
    #[must_use]
    pub fn sign(&self, request: &str) -> String {
        let dir = self.database();
        let (csr, extensions) = (dir.path().join("csr"), dir.path().join("extensions"));
        std::fs::write(&csr, request).expect("the request can be written");
        let usage = "extendedKeyUsage=clientAuth\nkeyUsage=critical,digitalSignature\n";
        std::fs::write(&extensions, usage).expect("the extensions can be written");
        let mut command = Command::new("openssl");
        command.args(["x509", "-req", "-days", "90", "-set_serial", "77", "-in"]).arg(&csr).arg("-CA");
        command.arg(self.pki().join("ca.crt")).arg("-CAkey").arg(self.pki().join("ca.key")).arg("-extfile");
        let output = command.arg(&extensions).output().expect("openssl can be run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("PEM is ASCII")
    }

    /// The certificate of the servers' authority, in PEM.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn authority(&self) -> String {
        std::fs::read_to_string(self.pki().join("ca.crt")).expect("the authority was made")
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
