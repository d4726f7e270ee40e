//! Volumes over NBD with TLS, and a certificate that is replaced while they are served.

use std::fs;
use std::net::TcpListener;

use rustix::process::Signal;

use super::reload::certificate;
use super::{configure, create_volume, rig};
use crate::rig::{tool, wait_until};

#[test]
fn a_volume_is_served_over_tls_only_and_a_new_certificate_counts_for_new_clients() {
    if ["nbdinfo", "openssl"].iter().any(|program| tool(program, ["--version"]).is_none()) {
        return;
    }
    let rig = rig();
    let [one, two] = ["one", "two"].map(|name| certificate(&rig, name).unwrap());
    // Over TCP, where clients check who the server is.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let serve = |(certificate, key): &(std::path::PathBuf, std::path::PathBuf)| {
        configure(&rig, &format!("nbd = [\"tcp:127.0.0.1:{port}\"]\nnbd-cert = {certificate:?}\nnbd-key = {key:?}\n"));
    };
    serve(&one);
    let (daemon, log) = rig.daemon_with_log();
    create_volume(&rig);
    let folder = |name: &str, certificate: &std::path::Path| {
        let folder = rig.path(name);
        fs::create_dir(&folder).unwrap();
        fs::copy(certificate, folder.join("ca-cert.pem")).unwrap();
        folder
    };
    let trusting = [folder("trusts-one", &one.0), folder("trusts-two", &two.0)];
    let size = |scheme: &str, query: &str| {
        let uri = format!("{scheme}://localhost:{port}/vol.1{query}");
        let info = tool("nbdinfo", ["--size", &uri]).unwrap();
        (info.code == 0).then(|| info.stdout.trim().to_owned())
    };
    let over_tls = |which: usize| size("nbds", &format!("?tls-certificates={}", trusting[which].display()));
    assert_eq!(over_tls(0).as_deref(), Some("1000001536"));
    assert_eq!((over_tls(1), size("nbd", "")), (None, None));
    serve(&two);
    daemon.signal(Signal::HUP);
    wait_until("the new certificate", || over_tls(1).is_some());
    assert_eq!(over_tls(0), None);
    configure(&rig, &format!("nbd = [\"tcp:127.0.0.1:{port}\"]\n"));
    daemon.signal(Signal::HUP);
    wait_until("the refusal", || fs::read_to_string(&log).unwrap().contains("switched on and off only by a restart"));
    assert!(over_tls(1).is_some() && size("nbd", "").is_none());
    daemon.stop();
}
