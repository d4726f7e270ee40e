//! Headers of the reference implementation are read by us, and ours by it, at every legal metadata size.
//!
//! Needs `cryptsetup` (Debian package `cryptsetup-bin`); no device-mapper is used.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail the test")]

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::Command;

use keywrap::luks2::binary::{CopyId, HeaderSize};
use keywrap::luks2::create::forget_headers;
use keywrap::luks2::select::{Copies, Row};
use keywrap::luks2::store::Store;
use keywrap::medium::Medium;

const CHEAP_KDF: [&str; 4] = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"];

fn cryptsetup(dir: &Path, args: &[&str]) -> String {
    std::fs::write(dir.join("passphrase"), "pass").unwrap();
    let output = Command::new("cryptsetup").current_dir(dir).arg("--batch-mode").args(args).output();
    let output = output.expect("cryptsetup is installed");
    assert!(output.status.success(), "cryptsetup {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// An image made by `cryptsetup luksFormat` with a header of `size` and room for a few keyslots.
fn formatted(dir: &Path, size: HeaderSize) -> File {
    File::create(dir.join("volume")).unwrap().set_len(32 << 20).unwrap();
    let metadata_size = format!("{}", size.bytes());
    let mut args = vec!["luksFormat", "--type", "luks2", "--luks2-metadata-size", &metadata_size];
    args.extend(["--luks2-keyslots-size", "4m", "--label", "a label", "--subsystem", "a subsystem"]);
    args.extend(CHEAP_KDF);
    args.extend(["volume", "passphrase"]);
    cryptsetup(dir, &args);
    OpenOptions::new().read(true).write(true).open(dir.join("volume")).unwrap()
}

#[test]
fn headers_of_cryptsetup_are_read_at_every_legal_size_and_from_each_copy_alone() {
    for size in HeaderSize::ALL {
        let dir = tempfile::tempdir().unwrap();
        let file = formatted(dir.path(), size);
        let whole = Copies::read(&file);
        assert_eq!(whole.decide(), Ok(Row::Twins), "{size:?}");
        let header = whole.primary.unwrap();
        assert_eq!((header.size, &*header.label.text(), &*header.subsystem.text()), (size, "a label", "a subsystem"));

        file.write_all_at(&[0; 512], 0).unwrap();
        let (found, row) = Copies::read(&file).choose().unwrap();
        assert_eq!((found, row), (header, Row::PrimaryOverwritten), "{size:?}");
        let mut store = Store::open(&file).unwrap();
        store.repair().unwrap();
        // The store holds the lock that cryptsetup waits for.
        drop(store);
        assert_eq!(Copies::read(&file).decide(), Ok(Row::Twins));
        cryptsetup(dir.path(), &["open", "--test-passphrase", "--key-file", "passphrase", "volume"]);
    }
}

#[test]
fn headers_written_by_us_are_read_by_cryptsetup_at_every_legal_size_and_from_each_copy_alone() {
    for size in HeaderSize::ALL {
        let dir = tempfile::tempdir().unwrap();
        let file = formatted(dir.path(), size);
        let mut store = Store::open(&file).unwrap();
        let seqid = store.header().seqid;
        let mut metadata = store.header().metadata.clone();
        metadata.config.set_allow_discards(true);
        store.commit(metadata).unwrap();
        drop(store);

        for lost in [CopyId::Primary, CopyId::Secondary] {
            file.write_all_at(&[0; 512], lost.offset(size)).unwrap();
            let dump = cryptsetup(dir.path(), &["luksDump", "volume"]);
            assert!(dump.contains("Flags:       \tallow-discards"), "{size:?}: {dump}");
            assert!(dump.contains(&format!("Epoch:         \t{}", seqid + 1)), "{size:?}: {dump}");
            Store::open(&file).unwrap().repair().unwrap();
        }
        cryptsetup(dir.path(), &["open", "--test-passphrase", "--key-file", "passphrase", "volume"]);
    }
}

#[test]
fn after_forgetting_its_headers_a_volume_is_gone_for_both_programs() {
    let dir = tempfile::tempdir().unwrap();
    let file = formatted(dir.path(), HeaderSize::DEFAULT);
    forget_headers(&file).unwrap();
    assert!(Store::open(&file).is_err());
    let status = Command::new("cryptsetup").current_dir(dir.path()).args(["isLuks", "volume"]).status().unwrap();
    assert!(!status.success());
}
