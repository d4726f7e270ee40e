//! A healthy header as plain data, to be broken on purpose, and a medium in memory.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::cell::RefCell;
use std::io;

use keywrap::luks2::binary::{BINARY_LEN, CopyId, HeaderSize, Name48, RawHeader, SALT_LEN};
use keywrap::medium::Medium;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Length of the test volume: headers, 1 MiB of keyslots, and 1 MiB of data.
pub(crate) const VOLUME_LEN: usize = 3 << 20;
/// The header size of the test volume.
pub(crate) const SIZE: HeaderSize = HeaderSize::DEFAULT;

/// Metadata as cryptsetup writes it: two keyslots, a foreign token, one segment.
pub(crate) fn healthy_json() -> Value {
    let keyslot = |offset: u32, kdf: Value| {
        json!({
            "type": "luks2", "key_size": 64,
            "af": {"type": "luks1", "stripes": 4000, "hash": "sha256"},
            "area": {"type": "raw", "offset": offset.to_string(), "size": "258048",
                     "encryption": "aes-xts-plain64", "key_size": 64},
            "kdf": kdf,
        })
    };
    let pbkdf2 = json!({"type": "pbkdf2", "hash": "sha256", "iterations": 1000, "salt": "AAECAwQFBgc="});
    let argon2 = json!({"type": "argon2id", "time": 4, "memory": 1024, "cpus": 2, "salt": "AAECAwQFBgc="});
    json!({
        "keyslots": {"0": keyslot(32768, pbkdf2), "1": keyslot(290_816, argon2)},
        "tokens": {"0": {"type": "foreign", "keyslots": ["1"], "secret-of-theirs": [1, {"a": 1.50}]}},
        "segments": {"0": {"type": "crypt", "offset": "2097152", "size": "dynamic", "iv_tweak": "0",
                           "encryption": "aes-xts-plain64", "sector_size": 4096}},
        "digests": {"0": {"type": "pbkdf2", "keyslots": ["0", "1"], "segments": ["0"], "hash": "sha256",
                          "iterations": 1000, "salt": "AAECAwQFBgc=", "digest": "AAECAwQFBgc="}},
        "config": {"json_size": "12288", "keyslots_size": "1048576"},
    })
}

/// A binary header for [`SIZE`].
pub(crate) fn healthy_binary(seqid: u64) -> RawHeader {
    let uuid = uuid::Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff).into();
    RawHeader { size: SIZE, seqid, label: Name48::EMPTY, subsystem: Name48::EMPTY, uuid }
}

/// The bytes of one copy of `size` with `text` in its JSON area and a checksum that matches.
pub(crate) fn copy(binary: &RawHeader, id: CopyId, text: &[u8]) -> Vec<u8> {
    let mut bytes = binary.encode(id, &[7; SALT_LEN]).to_vec();
    assert!(text.len() <= binary.size.len() - BINARY_LEN, "the text fits");
    bytes.extend_from_slice(text);
    bytes.resize(binary.size.len(), 0);
    reseal(&mut bytes);
    bytes
}

/// Makes the checksum match again, computed here and not by the code under test.
pub(crate) fn reseal(bytes: &mut [u8]) {
    bytes[448..512].fill(0);
    let sum = Sha256::digest(&*bytes);
    bytes[448..480].copy_from_slice(&sum);
}

/// A volume whose two copies hold `text`.
pub(crate) fn volume(text: &[u8]) -> Vec<u8> {
    let binary = healthy_binary(5);
    let mut bytes = [copy(&binary, CopyId::Primary, text), copy(&binary, CopyId::Secondary, text)].concat();
    bytes.resize(VOLUME_LEN, 0);
    bytes
}

/// A healthy volume.
pub(crate) fn healthy_volume() -> Vec<u8> {
    volume(healthy_json().to_string().as_bytes())
}

/// A medium in memory that grows when written past its end.
pub(crate) struct Memory(pub(crate) RefCell<Vec<u8>>);

impl Memory {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(RefCell::new(bytes))
    }
}

impl Medium for Memory {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.borrow().len() as u64)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let bytes = self.0.borrow();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let found = start.checked_add(buf.len()).and_then(|end| bytes.get(start..end));
        buf.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let mut bytes = self.0.borrow_mut();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let end = start + buf.len();
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[start..end].copy_from_slice(buf);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
