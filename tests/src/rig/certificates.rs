//! Certificates for TLS tests, made by `openssl` and named as libnbd and QEMU expect them.

use std::path::{Path, PathBuf};

use super::run::Run;

/// A folder with an authority, a server's certificate for `localhost` and a client's certificate.
pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// Makes them in a new folder.
    ///
    /// # Panics
    /// When a file cannot be written or `openssl` fails.
    #[must_use]
    pub fn make(folder: PathBuf) -> Self {
        std::fs::create_dir(&folder).expect("the folder can be made");
        openssl(&folder, "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca");
        Self::sign(&folder, "server", "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n");
        Self::sign(&folder, "client", "extendedKeyUsage=clientAuth\n");
        Self { folder }
    }

    /// The folder, for `tls-certificates=` of libnbd.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file of the folder: `ca-cert.pem`, `server-cert.pem`, `server-key.pem`, `client-cert.pem`, `client-key.pem`.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// The folder of a client that trusts the authority but has no certificate of its own.
    ///
    /// # Panics
    /// When a file cannot be copied.
    #[must_use]
    pub fn without_client(&self) -> PathBuf {
        let folder = self.folder.join("anonymous");
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        std::fs::copy(self.folder.join("ca-cert.pem"), folder.join("ca-cert.pem")).expect("the file can be copied");
        folder
    }

    fn sign(folder: &Path, name: &str, extensions: &str) {
        std::fs::write(folder.join("extensions"), extensions).expect("the file can be written");
        let at = |file: &str| folder.join(file).display().to_string();
        let request = at("request.pem");
        Run::new("openssl")
            .words("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes")
            .args(["-subj", &format!("/CN={name}"), "-keyout", &at(&format!("{name}-key.pem")), "-out", &request])
            .ok();
        Run::new("openssl")
            .words("x509 -req -days 2 -CAcreateserial")
            .args(["-in", &request, "-CA", &at("ca-cert.pem"), "-CAkey", &at("ca-key.pem")])
            .args(["-extfile", &at("extensions"), "-out", &at(&format!("{name}-cert.pem"))])
            .ok();
    }
}

fn openssl(folder: &Path, words: &str) {
    let (key, certificate) = (folder.join("ca-key.pem"), folder.join("ca-cert.pem"));
    Run::new("openssl").words(words).arg("-keyout").arg(key).arg("-out").arg(certificate).ok();
}
