//! The unmodified public SDK drives every method. It needs Python 3 with `venv`, and PyPI the first time.

use std::path::Path;
use std::process::{Command, Output};

use base64ct::{Base64, Encoding};
use ekm_bridge::rpc::methods;
use ekm_bridge::rpc::types::faults::FaultSeverity;

use crate::model::Model;
use crate::{Rig, pypi};

#[test]
fn the_public_sdk_drives_every_method() {
    let Some(python) = pypi::or_skip(pypi::sdk()) else { return };
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

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
