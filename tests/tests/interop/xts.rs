//! Our XTS against a second implementation, Python's `cryptography` (OpenSSL underneath), at the sizes of data unit
//! where published vectors stop. Keys, data and tweaks are fresh in every run; a failure prints the case.

use std::fmt::Write as _;
use std::path::Path;

use datapath::cipher::Cipher;
use datapath::cipher::dispatch::Engine;
use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;
use keywrap::secret::SecretBytes;
use sear_tests::rig::{Need, PYTHON, Run, pattern, require};

/// Units per run: enough to see a wrong step of the tweak.
const UNITS: u32 = 3;
/// Tweaks at the edges of 32 and 64 bits, where counters break.
const EDGES: [u64; 5] = [0, 1, 0xffff_fff8, 0xffff_ffff, u64::MAX - 64];

#[test]
fn every_engine_agrees_with_openssl_for_every_data_unit() {
    if !require(&[Need::Python("cryptography")]) {
        return;
    }
    for unit in SectorSize::ALL {
        for key_len in [32, 64] {
            let cases: Vec<Case> = tweaks().map(|tweak| Case::random(unit, key_len, tweak)).collect();
            let expected = encrypt_with_python(&cases);
            for engine in Engine::available() {
                for (case, expected) in cases.iter().zip(&expected) {
                    case.check(engine, expected);
                }
            }
        }
    }
}

/// A run of data units under one key.
struct Case {
    key: Vec<u8>,
    unit: SectorSize,
    tweak: u64,
    plain: Vec<u8>,
}

impl Case {
    fn random(unit: SectorSize, key_len: usize, tweak: u64) -> Self {
        let plain = pattern(random(), (unit.bytes() * UNITS) as usize);
        Self { key: pattern(random(), key_len), unit, tweak, plain }
    }

    fn check(&self, engine: Engine, expected: &[u8]) {
        let key = VolumeKey::new(SecretBytes::copy_from(&self.key)).unwrap_or_else(|error| panic!("{error}"));
        let cipher = Cipher::new(&key, engine);
        let mut data = self.plain.clone();
        cipher.encrypt(&mut data, self.unit, self.tweak);
        let (key, tweak, bytes) = (hex(&self.key), self.tweak, self.unit.bytes());
        assert!(data == expected, "{engine} differs from OpenSSL: key {key}, tweak {tweak}, {bytes}-byte units");
        cipher.decrypt(&mut data, self.unit, self.tweak);
        assert!(data == self.plain, "{engine} does not decrypt: key {key}, tweak {tweak}, {bytes}-byte units");
    }

    /// One line per data unit: key, tweak (its number of 512-byte sectors, little-endian, 16 bytes), plaintext.
    fn lines(&self) -> String {
        let units = self.plain.chunks(self.unit.bytes() as usize);
        units.zip(0_u64..).fold(String::new(), |mut lines, (unit, number)| {
            let tweak = u128::from(self.tweak + number * u64::from(self.unit.bytes() / 512));
            let _ = writeln!(lines, "{} {} {}", hex(&self.key), hex(&tweak.to_le_bytes()), hex(unit));
            lines
        })
    }
}

fn tweaks() -> impl Iterator<Item = u64> {
    EDGES.into_iter().chain((0..16).map(|_| random() >> 8))
}

/// The ciphertext of each case.
fn encrypt_with_python(cases: &[Case]) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("cases");
    std::fs::write(&file, cases.iter().map(Case::lines).collect::<String>()).expect("the file can be written");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/xts.py");
    let output = Run::new(PYTHON).arg(script).arg(&file).ok();
    let units: Vec<Vec<u8>> = output.lines().map(unhex).collect();
    units.chunks(UNITS as usize).map(<[Vec<u8>]>::concat).collect()
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

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("the script prints hexadecimal");
    (0..text.len()).step_by(2).map(byte).collect()
}
