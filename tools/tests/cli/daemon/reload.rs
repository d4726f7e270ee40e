//! SIGHUP: what is taken over while the daemon runs, and what is not.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use super::{configure, rig};
use crate::rig::{Rig, Up, tool, wait_until};

/// A certificate for this machine, as good as its own authority, and its key.
pub(super) fn certificate(rig: &Rig, name: &str) -> Option<(PathBuf, PathBuf)> {
    let (certificate, key) = (rig.path(&format!("{name}.crt")), rig.path(&format!("{name}.key")));
    let made = tool("openssl", {
        let options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext \
                       subjectAltName=DNS:localhost,IP:127.0.0.1";
        let files = ["-out", certificate.to_str().unwrap(), "-keyout", key.to_str().unwrap()];
        options.split(' ').chain(files).map(str::to_owned).collect::<Vec<_>>()
    })?;
    made.ok();
    Some((certificate, key))
}

/// Whether a client that trusts only this certificate gets an answer.
fn answers(daemon: &Up, trusted: &Path) -> bool {
    let url = format!("https://{}/json-rpc/12.3", daemon.ready["api"][0].as_str().unwrap());
    let body = r#"{"id":1,"method":"GetAPI","params":{}}"#;
    let curl = tool("curl", ["-s", "--cacert", trusted.to_str().unwrap(), &url, "-d", body]).unwrap();
    curl.code == 0 && curl.stdout.contains("supportedVersions")
}

/// Puts a pair in the place of another one, each file in one step.
fn replace(rig: &Rig, from: (&Path, &Path), to: (&Path, &Path)) {
    for (from, to) in [(from.0, to.0), (from.1, to.1)] {
        let new = rig.path("new");
        fs::copy(from, &new).unwrap();
        fs::rename(new, to).unwrap();
    }
}

#[test]
fn a_new_certificate_is_shown_and_one_that_cannot_be_used_is_not() {
    if ["curl", "openssl"].iter().any(|program| tool(program, ["--version"]).is_none()) {
        return;
    }
    let rig = rig();
    let [one, two] = ["one", "two"].map(|name| certificate(&rig, name).unwrap());
    fs::create_dir(rig.path("tls")).unwrap();
    let used = (rig.path("tls/api.crt"), rig.path("tls/api.key"));
    let used = (used.0.as_path(), used.1.as_path());
    replace(&rig, (&one.0, &one.1), used);
    let keys = format!("api-cert = {:?}\napi-key = {:?}\n", used.0, used.1);
    configure(&rig, &format!("log-level = \"warn\"\n{keys}"));
    let (daemon, log) = rig.daemon_with_log();
    let said = |words: &str| fs::read_to_string(&log).unwrap().contains(words);
    assert!(answers(&daemon, &one.0) && !answers(&daemon, &two.0));

    replace(&rig, (&two.0, &two.1), used);
    configure(&rig, &format!("log-level = \"info\"\nkey-grace-seconds = 60\nkey-copies = 1\n{keys}"));
    daemon.signal(Signal::HUP);
    wait_until("the new certificate", || answers(&daemon, &two.0));
    assert!(!answers(&daemon, &one.0));
    wait_until("what needs a restart", || said("count only after a restart") && said("key-copies"));
    assert!(!said("key-grace-seconds"));

    // A key of another certificate, then none at all.
    replace(&rig, (&two.0, &one.1), used);
    daemon.signal(Signal::HUP);
    wait_until("the refusal", || said("the API's certificate stays as it was"));
    fs::remove_file(used.1).unwrap();
    daemon.signal(Signal::HUP);
    wait_until("the second refusal", || said("No such file"));
    assert!(answers(&daemon, &two.0));

    rig.file("sear.toml", b"[daemon");
    daemon.signal(Signal::HUP);
    wait_until("the third refusal", || said("the configuration stays as it was"));
    assert!(answers(&daemon, &two.0));
    daemon.stop();
}
