//! The unmodified public SDK drives every method. It needs Python 3 with `venv`, and PyPI the first time.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64ct::{Base64, Encoding};
use ekm_bridge::rpc::methods;
use ekm_bridge::rpc::types::faults::FaultSeverity;

use crate::Rig;
use crate::model::Model;

const SDK: &str = "solidfire-sdk-python==12.3.0.203";

#[test]
fn the_public_sdk_drives_every_method() {
    let Some(python) = python_with_sdk() else { return };
    let rig = Rig::start(Model::default(), |_| {});
    rig.model.add_fault("kmipServerFault", FaultSeverity::Error, false);
    rig.model.add_fault("kmipCertificateFault", FaultSeverity::Warning, true);
    rig.model.add_fault("bestPractice", FaultSeverity::BestPractice, false);
    let temp = tempfile::tempdir().unwrap();
    let authority = temp.path().join("ca.pem");
    let body = Base64::encode_string(&rig.certificate);
    std::fs::write(&authority, format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")).unwrap();

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/element_sdk/run.py");
    let output = Command::new(python)
        .args(["-B", "-W", "ignore"])
        .args([script.as_os_str(), rig.server.address().port().to_string().as_ref(), authority.as_os_str()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    println!("{}", text(&output).trim());
    every_method_succeeded(&rig.seen());
    assert!(!rig.seen().iter().any(|line| line.contains("correct horse")), "a password was recorded");
}

/// A method that the scripts forgot would otherwise go unnoticed.
fn every_method_succeeded(seen: &[String]) {
    for method in methods::all().filter(|method| !methods::is_ours(method)) {
        let called = seen.iter().any(|line| line.contains(&format!(" {} ", method.name)) && line.ends_with(" ok"));
        assert!(called, "the SDK never called {} with success", method.name);
    }
}

/// A Python with the SDK, installed once below the target folder; `None`, said aloud, where that cannot be done.
fn python_with_sdk() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("element-sdk");
    let python = folder.join("bin/python");
    let has_sdk = |python: &Path| Command::new(python).args(["-c", "import solidfire"]).output();
    if has_sdk(&python).is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    let made = Command::new("python3").args(["-m", "venv"]).arg(&folder).output();
    let installed = made.and_then(|_| Command::new(&python).args(["-m", "pip", "-q", "install", SDK]).output());
    match installed {
        Ok(output) if output.status.success() => Some(python),
        Ok(output) => skip(&text(&output)),
        Err(error) => skip(&error.to_string()),
    }
}

fn skip(why: &str) -> Option<PathBuf> {
    let last = why.trim().lines().last().unwrap_or_default();
    println!("skipped: {SDK} cannot be installed: {last}");
    None
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
