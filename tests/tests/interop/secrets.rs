//! Where keys must not be. The volume key is learnt from cryptsetup, then looked for in everything that Sear leaves.
//! Its own memory is not searched: a server that decrypts must hold the key there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sear_tests::rig::{Cryptsetup, Need, Sear, require};

#[test]
fn keys_are_in_no_file_no_log_no_argument_and_no_variable() {
    if !require(&[Need::Tool("cryptsetup")]) {
        return;
    }
    let sear = Sear::new();
    let disk = sear.path("disk");
    let served = sear.up(&disk, ["--size", "1M"]);
    let key_file = sear.export_key(&disk);
    let secrets = [fs::read(&key_file).expect("readable"), volume_key(&Cryptsetup::with_key_file(key_file), &disk)];
    let process = format!("/proc/{}", served.pid());
    for secret in secrets.iter().flat_map(|secret| spellings(secret)) {
        assert_absent(&secret, &sear.state_dir());
        assert_absent(&secret, &disk);
        assert_absent(&secret, Path::new(&process).join("cmdline").as_path());
        assert_absent(&secret, Path::new(&process).join("environ").as_path());
        assert!(!contains(served.log().as_bytes(), &secret), "a key is in the log");
    }
    served.stop();
}

#[test]
fn the_search_for_secrets_finds_one_that_is_there() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    fs::write(folder.path().join("leak"), "key=00010203aabbccdd").expect("the file can be written");
    assert!(holds(&spellings(&[0, 1, 2, 3, 0xaa, 0xbb, 0xcc, 0xdd])[1], folder.path()));
}

#[test]
fn a_serving_process_leaves_no_core_dump() {
    let sear = Sear::new();
    let served = sear.up(&sear.path("disk"), ["--size", "1M"]);
    let limits = fs::read_to_string(format!("/proc/{}/limits", served.pid())).expect("the process runs");
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).expect("there is such a limit");
    assert_eq!(line.split_whitespace().nth(4), Some("0"), "{line}");
    served.stop();
}

#[test]
fn only_the_owner_reads_the_state_and_the_exported_key() {
    let sear = Sear::new();
    let disk = sear.path("disk");
    sear.run().words("volume create --size 1M").arg(&disk).ok();
    let key = sear.export_key(&disk);
    assert_private(&key);
    assert_private(&sear.state_dir());
    for file in files_below(&sear.state_dir()) {
        assert_private(&file);
    }
}

fn volume_key(cryptsetup: &Cryptsetup, disk: &Path) -> Vec<u8> {
    let text = cryptsetup.run().words("luksDump --dump-volume-key").arg(disk).ok();
    let (_, hex) = text.split_once("MK dump:").expect("cryptsetup prints the key");
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    let key: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
    key.filter(|key| key.len() == 64).expect("the key has 64 bytes")
}

/// The ways in which a secret may be written: as it is, in hexadecimal, and its first half as it is.
fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![
        secret.to_vec(),
        hex.clone().into_bytes(),
        hex.to_uppercase().into_bytes(),
        secret[..secret.len() / 2].to_vec(),
    ]
}

fn assert_absent(secret: &[u8], place: &Path) {
    assert!(!holds(secret, place), "a key is in {}", place.display());
}

fn assert_private(path: &Path) {
    let mode = fs::metadata(path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o077, 0, "others may use {}: {mode:o}", path.display());
}

fn holds(secret: &[u8], place: &Path) -> bool {
    let files = if place.is_dir() { files_below(place) } else { vec![place.to_path_buf()] };
    files.iter().any(|file| contains(&fs::read(file).unwrap_or_default(), secret))
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}

fn contains(bytes: &[u8], secret: &[u8]) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret)
}
