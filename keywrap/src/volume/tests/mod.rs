//! The verbs over real files. What crosses to cryptsetup is in the crate `sear-tests`.

mod erase;
mod keyslots;
mod lifecycle;
mod refusals;
mod restore;

use std::fs::File;

use super::*;
use crate::keys::{KeyId, MasterKey};
use crate::medium::Medium;
use crate::secret::{Secret, SecretBytes};

/// Long enough for a header of the default size and 1 MiB of data.
const DEVICE: u64 = DEFAULT_DATA_OFFSET + (1 << 20);

/// Cheap on purpose; the real costs have vectors of their own.
const CHEAP: KdfChoice = KdfChoice::Pbkdf2 { iterations: 10 };

fn file(len: u64) -> File {
    let file = tempfile::tempfile().unwrap();
    file.set_len(len).unwrap();
    file
}

fn master(byte: u8) -> MasterKey {
    MasterKey(Secret::copy_from(&[byte; 32]).unwrap())
}

fn id(byte: u8) -> KeyId {
    KeyId(uuid::Uuid::from_bytes([byte; 16]))
}

fn passphrase(text: &str) -> SecretBytes {
    SecretBytes::copy_from(text.as_bytes())
}

/// A volume under master key 1.
fn volume() -> (File, Opened) {
    let file = file(DEVICE);
    let opened = create(&file, DEVICE, &CreateOptions::default(), id(1), &master(1)).unwrap();
    (file, opened)
}

fn same_key(a: &Opened, b: &Opened) -> bool {
    a.volume_key.expose_secret() == b.volume_key.expose_secret()
}

fn contents(medium: &dyn Medium, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    medium.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

/// The error of a verb whose success has no `Debug`.
fn error<T>(result: Result<T, VolumeError>) -> VolumeError {
    result.err().expect("the verb should have failed")
}
