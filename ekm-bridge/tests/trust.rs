//! The key pair, its request and the audit log beside other programs: `openssl` signs, `python3` checks the chain.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use ekm_bridge::audit::{AuditEvent, AuditLog, DEFAULT_LIMIT, Outcome};
use ekm_bridge::trust::{
    CertificateChain, KeyPairStore, Role, Subject, Watched, check_authorities, check_client, watch,
};
use ekm_bridge::{Node, UnixSeconds};
use serde_json::json;

const DAY: u64 = 86_400;

/// Runs a program in `dir`; `None`, and a word about it, when it is not installed.
fn run(dir: &Path, program: &str, arguments: &[&str]) -> Option<Output> {
    match Command::new(program).args(arguments).current_dir(dir).output() {
        Ok(output) => {
            assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
            Some(output)
        }
        Err(error) => {
            eprintln!("skipped: {program} does not run here ({error})");
            None
        }
    }
}

fn openssl(dir: &Path, arguments: &str) -> Option<Output> {
    run(dir, "openssl", &arguments.split(' ').collect::<Vec<_>>())
}

#[test]
fn openssl_reads_the_request_and_what_it_signs_passes_the_checks() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::open(&dir.path().join("state")).unwrap();
    let keys = KeyPairStore::new(node.store(), node.provider());
    let subject = Subject { organization: Some("Exämple".into()), country: Some("DE".into()), ..Subject::default() };
    let info = keys.create(&subject.or_named("sear-1"), UnixSeconds::now()).unwrap();
    fs::write(dir.path().join("client.csr"), &info.request).unwrap();

    let Some(shown) = openssl(dir.path(), "req -in client.csr -verify -noout -text -nameopt utf8,sep_comma_plus")
    else {
        return;
    };
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    for part in ["C=DE", "O=Exämple", "CN=sear-1", "X509v3 Key Usage: critical", "TLS Web Client Authentication"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }

    openssl(dir.path(), "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 90 -subj /CN=CA").unwrap();
    let sign = "x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 -out client.pem";
    fs::write(dir.path().join("ext"), "extendedKeyUsage=clientAuth\n").unwrap();
    openssl(dir.path(), &format!("{sign} -extfile ext")).unwrap();
    let read = |name: &str| CertificateChain::from_pem(&fs::read_to_string(dir.path().join(name)).unwrap()).unwrap();
    let (client, authority, now) = (read("client.pem"), read("ca.pem"), UnixSeconds::now());
    assert_eq!(check_client(&client, &info.public_key, now), []);
    assert_eq!(check_authorities(&authority, now), []);
    assert!(client.leaf().is_signed_by(authority.leaf()));

    let certificate = client.leaf();
    let watched = [Watched { key_server: 1, name: "vault", role: Role::Client, certificate }];
    assert_eq!(watch(&watched, now).len(), 1, "20 days are left");
    assert_eq!(watch(&watched, UnixSeconds(now.0 - 11 * DAY)).len(), 1, "not yet valid");
}

/// As in `docs/format/audit.md`.
const CHECK: &str = r#"
import hashlib, json
previous = bytes(32)
for number, line in enumerate(open("audit.log", "rb"), 1):
    digest, entry = line[9:73].decode(), line[83:-2]
    previous = hashlib.sha256(previous + entry).digest()
    assert previous.hex() == digest and json.loads(entry)["sequence"] == number, number
    text = json.dumps(json.loads(entry), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert text.encode() == entry, "canonical"
print(number, previous.hex(), sep=":")
"#;

#[test]
fn python_comes_to_the_same_head_of_the_audit_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = AuditLog::open(&dir.path().join("audit.log"), DEFAULT_LIMIT, UnixSeconds(1)).unwrap();
    let event = |parameters| AuditEvent {
        time: UnixSeconds(2),
        user: "ädmin \"x\"\n".into(),
        role: "administrator".into(),
        source: "2001:db8::1".into(),
        method: "CreateVolume".into(),
        parameters,
        outcome: Outcome::Denied,
    };
    for parameters in [json!({}), json!({"b": [1, null, true], "a": {"é": "\u{1}\\", "B": -5}}), json!("text")] {
        log.append(&event(parameters)).unwrap();
    }
    let Some(output) = run(dir.path(), "python3", &["-c", CHECK]) else { return };
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), log.head().to_string());
}
