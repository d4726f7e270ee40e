//! An authority and a certificate for the servers, made by OpenSSL under the names that libnbd, nbdkit and QEMU expect.

use std::error::Error;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::host::process::output;
use crate::host::scratch::Scratch;

/// The folder with `ca-cert.pem`, `server-cert.pem` and `server-key.pem`.
pub(super) fn folder(scratch: &Scratch) -> PathBuf {
    scratch.path("tls")
}

/// The home folder of a client that trusts the authority: libnbd looks in `.pki/libnbd`, unless root runs it.
pub(super) fn home(scratch: &Scratch) -> PathBuf {
    scratch.path("home")
}

/// Makes the certificates if they are not there.
///
/// # Errors
/// When `openssl` is missing or fails.
pub(super) fn provide(scratch: &Scratch) -> Result<(), Box<dyn Error>> {
    let folder = folder(scratch);
    if folder.exists() {
        return Ok(());
    }
    fs::create_dir(&folder)?;
    make(&folder)?;
    let trusted = home(scratch).join(".pki/libnbd");
    fs::create_dir_all(&trusted)?;
    for open in [home(scratch), home(scratch).join(".pki"), trusted.clone()] {
        fs::set_permissions(open, Permissions::from_mode(0o755))?;
    }
    let copy = trusted.join("ca-cert.pem");
    fs::copy(folder.join("ca-cert.pem"), &copy)?;
    fs::set_permissions(copy, Permissions::from_mode(0o644))?;
    Ok(())
}

fn make(folder: &Path) -> Result<(), Box<dyn Error>> {
    let openssl = |line: &str| output(Command::new("openssl").current_dir(folder).args(line.split(' ')));
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n")?;
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!("req -x509 {key} -days 30 -keyout ca-key.pem -out ca-cert.pem -subj /CN=authority"))?;
    openssl(&format!("req {key} -keyout server-key.pem -out server.csr -subj /CN=localhost"))?;
    let sign = "x509 -req -days 30 -in server.csr -CA ca-cert.pem -CAkey ca-key.pem -CAcreateserial";
    openssl(&format!("{sign} -out server-cert.pem -extfile names"))?;
    Ok(())
}
