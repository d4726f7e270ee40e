//! A master key as it lies in the store: wrapped under the root key, and bound to its id and creation time.
//!
//! Bytes: `docs/format/internal-provider.md`. AES-KW (RFC 3394) wraps key, id and time together, and its integrity
//! check covers all three, so a record cannot be passed off as another key's.

use keywrap::keys::{KeyId, MasterKey};
use keywrap::secret::Secret;
use keywrap::wrap::{self, WrapError};
use zeroize::Zeroizing;

use super::root_key::RootKey;
use crate::time::UnixSeconds;

const VERSION: u8 = 1;
const KEY_LEN: usize = 32;
const ID_LEN: usize = 16;
const TIME_LEN: usize = 8;
const PAYLOAD_LEN: usize = KEY_LEN + ID_LEN + TIME_LEN;
/// RFC 3394 adds one 64-bit integrity block.
const WRAPPED_LEN: usize = PAYLOAD_LEN + 8;
const RECORD_LEN: usize = 1 + TIME_LEN + WRAPPED_LEN;

/// Version 1 of the record, parsed but not opened.
pub(super) struct SealedKey {
    id: KeyId,
    created: UnixSeconds,
    wrapped: Vec<u8>,
}

/// The bytes are no record of a version this release knows.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadRecord {
    #[error("it has {0} bytes instead of {RECORD_LEN}")]
    Length(usize),
    #[error("its version is {0}, and this release knows version {VERSION}")]
    Version(u8),
}

/// The root key does not open the record: another root key wrapped it, or it was altered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotOpened;

impl SealedKey {
    /// Wraps `key` under `root`.
    pub(super) fn seal(root: &RootKey, id: KeyId, created: UnixSeconds, key: &MasterKey) -> Result<Self, WrapError> {
        let mut payload = Zeroizing::new([0; PAYLOAD_LEN]);
        payload[..KEY_LEN].copy_from_slice(key.0.expose_secret());
        payload[KEY_LEN..].copy_from_slice(&binding(id, created));
        Ok(Self { id, created, wrapped: wrap::wrap(&root.0, payload.as_slice())? })
    }

    /// Unwraps the key and checks that it belongs to this id and time.
    pub(super) fn open(&self, root: &RootKey) -> Result<MasterKey, NotOpened> {
        let payload = wrap::unwrap(&root.0, &self.wrapped).map_err(|_| NotOpened)?;
        let (key, bound) = payload.expose_secret().split_at_checked(KEY_LEN).ok_or(NotOpened)?;
        if bound != binding(self.id, self.created) {
            return Err(NotOpened);
        }
        Secret::copy_from(key).map(MasterKey).ok_or(NotOpened)
    }

    /// When the key was made.
    pub(super) fn created(&self) -> UnixSeconds {
        self.created
    }

    /// The bytes for the store.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let created = self.created.0.to_be_bytes();
        [&[VERSION][..], &created, &self.wrapped].concat()
    }

    /// Parses the record of key `id`.
    pub(super) fn parse(id: KeyId, bytes: &[u8]) -> Result<Self, BadRecord> {
        let length = || BadRecord::Length(bytes.len());
        let (&version, rest) = bytes.split_first().ok_or_else(length)?;
        if version != VERSION {
            return Err(BadRecord::Version(version));
        }
        let (created, wrapped) = rest.split_first_chunk::<TIME_LEN>().ok_or_else(length)?;
        if wrapped.len() != WRAPPED_LEN {
            return Err(length());
        }
        Ok(Self { id, created: UnixSeconds(u64::from_be_bytes(*created)), wrapped: wrapped.to_vec() })
    }
}

/// The id (16 bytes, RFC 9562 order) and the time (big-endian) that are wrapped with the key.
fn binding(id: KeyId, created: UnixSeconds) -> [u8; ID_LEN + TIME_LEN] {
    let mut bytes = [0; ID_LEN + TIME_LEN];
    bytes[..ID_LEN].copy_from_slice(id.0.as_bytes());
    bytes[ID_LEN..].copy_from_slice(&created.0.to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(byte: u8) -> RootKey {
        RootKey(Secret::copy_from(&[byte; 32]).unwrap())
    }

    fn sealed() -> (KeyId, Vec<u8>) {
        let id = KeyId::random();
        let key = MasterKey(Secret::copy_from(&[7; 32]).unwrap());
        (id, SealedKey::seal(&root(1), id, UnixSeconds(1_700_000_000), &key).unwrap().to_bytes())
    }

    #[test]
    fn a_sealed_key_opens_under_its_root_key_only() {
        let (id, bytes) = sealed();
        let record = SealedKey::parse(id, &bytes).unwrap();
        assert_eq!(record.created(), UnixSeconds(1_700_000_000));
        assert_eq!(record.open(&root(1)).unwrap().0.expose_secret(), &[7; 32]);
        assert_eq!(record.open(&root(2)).err(), Some(NotOpened));
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let (id, bytes) = sealed();
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            let opened = SealedKey::parse(id, &altered).map(|record| record.open(&root(1)).is_ok());
            assert_ne!(opened, Ok(true), "bit {bit}");
        }
    }

    #[test]
    fn a_record_moved_to_another_id_does_not_open() {
        let (_, bytes) = sealed();
        let record = SealedKey::parse(KeyId::random(), &bytes).unwrap();
        assert_eq!(record.open(&root(1)).err(), Some(NotOpened));
    }

    #[test]
    fn other_lengths_and_versions_are_refused() {
        let (id, mut bytes) = sealed();
        assert_eq!(bytes.len(), RECORD_LEN);
        for len in 0..RECORD_LEN {
            assert_eq!(SealedKey::parse(id, &bytes[..len]).err(), Some(BadRecord::Length(len)));
        }
        bytes.push(0);
        assert_eq!(SealedKey::parse(id, &bytes).err(), Some(BadRecord::Length(RECORD_LEN + 1)));
        bytes[0] = 2;
        assert_eq!(SealedKey::parse(id, &bytes).err(), Some(BadRecord::Version(2)));
    }
}
