//! Our XTS against two other implementations, OpenSSL and libgcrypt, over very many data units: keys, data and sector
//! numbers are fresh in every run, and a failure prints the case. `SEAR_XTS_UNITS` says how many data units each of the
//! two computes, for a run of millions.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use datapath::cipher::Cipher;
use datapath::cipher::dispatch::Engine;
use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;
use keywrap::secret::SecretBytes;
use sear_tests::rig::{Need, PYTHON, Run, pattern, require};

/// Data units under one key: enough for engines to take several at once, and to see a wrong step of the tweak.
const UNITS: usize = 24;
/// Data units for each library when nobody says otherwise.
const DEFAULT_UNITS: usize = 100_000;
/// Bytes that go through a file at once.
const BATCH: usize = 64 << 20;
/// Tweaks at the edges of 32 and 64 bits, where counters break.
const EDGES: [u64; 6] = [0, 1, 0xffff_fff8, 0xffff_ffff, u64::MAX - 64, u64::MAX];

#[test]
fn every_engine_agrees_with_openssl() {
    if require(&[Need::Python("cryptography")]) {
        compare_with("openssl");
    }
}

#[test]
fn every_engine_agrees_with_libgcrypt() {
    if require(&[Need::Python("ctypes"), Need::Library("libgcrypt.so.20")]) {
        compare_with("libgcrypt");
    }
}

fn compare_with(library: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for unit in SectorSize::ALL {
        for key_len in [32, 64] {
            let wanted = share(unit) / 2;
            let mut done = 0;
            while done < wanted {
                let runs = (wanted - done).min(BATCH / unit.bytes() as usize).div_ceil(UNITS);
                let batch: Vec<Case> = (0..runs).map(|n| Case::random(unit, key_len, n)).collect();
                let expected = encrypt_with(library, &batch, folder.path());
                check(library, &batch, &expected);
                done += runs * UNITS;
            }
            println!("{library}: {done} data units of {} bytes, keys of {key_len} bytes", unit.bytes());
        }
    }
}

/// Data units of this size: most have the sizes that volumes have.
fn share(unit: SectorSize) -> usize {
    let total = std::env::var("SEAR_XTS_UNITS").map_or(DEFAULT_UNITS, |text| text.parse().expect("a number"));
    match unit {
        SectorSize::B512 | SectorSize::B4096 => total * 12 / 25,
        SectorSize::B1024 | SectorSize::B2048 => total / 50,
    }
}

/// A run of [`UNITS`] data units under one key.
struct Case {
    key: Vec<u8>,
    unit: SectorSize,
    tweak: u64,
    plain: Vec<u8>,
}

impl Case {
    /// The `n`th case of a batch; the first ones are at the edges.
    fn random(unit: SectorSize, key_len: usize, n: usize) -> Self {
        let tweak = EDGES.get(n).copied().unwrap_or_else(random);
        let plain = pattern(random(), unit.bytes() as usize * UNITS);
        Self { key: pattern(random(), key_len), unit, tweak, plain }
    }

    fn check(&self, library: &str, engine: Engine, expected: &[u8], out: &mut [u8]) {
        let key = VolumeKey::new(SecretBytes::copy_from(&self.key)).unwrap_or_else(|error| panic!("{error}"));
        let cipher = Cipher::new(&key, engine);
        cipher.encrypt_to(&self.plain, out, self.unit, self.tweak);
        let case = || format!("key {}, tweak {}, {}-byte units", hex(&self.key), self.tweak, self.unit.bytes());
        assert!(*out == *expected, "{engine} differs from {library}: {}", case());
        cipher.decrypt(out, self.unit, self.tweak);
        assert!(*out == *self.plain, "{engine} does not decrypt: {}", case());
    }
}

/// The ciphertext of all cases, one after the other.
fn encrypt_with(library: &str, batch: &[Case], folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for case in batch {
        bytes.extend_from_slice(&case.key);
        bytes.extend_from_slice(&case.tweak.to_le_bytes());
        bytes.extend_from_slice(&case.plain);
    }
    let (source, destination) = (folder.join("records"), folder.join("results"));
    fs::write(&source, bytes).expect("the file can be written");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/xts.py");
    let sizes = format!("{library} {} {} {UNITS}", batch[0].key.len(), batch[0].unit.bytes());
    Run::new(PYTHON).arg(script).words(&sizes).arg(&source).arg(&destination).ok();
    fs::read(&destination).expect("the script wrote its results")
}

fn check(library: &str, batch: &[Case], expected: &[u8]) {
    assert_eq!(expected.len(), batch.len() * batch[0].plain.len(), "{library} left something out");
    let mut out = vec![0; batch[0].plain.len()];
    for engine in Engine::available() {
        for (case, expected) in batch.iter().zip(expected.chunks_exact(out.len())) {
            case.check(library, engine, expected, &mut out);
        }
    }
}

fn random() -> u64 {
    uuid::Uuid::new_v4().as_u64_pair().0
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
