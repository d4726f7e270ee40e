//! What a job must not show to an observer: a key and a plaintext, each made from a number.

use std::fmt;

use keywrap::keys::VolumeKey;
use keywrap::secret::SecretBytes;

/// A key and a plaintext; written `key:data` on the command line, with one digit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Which key.
    pub key: u8,
    /// Which plaintext.
    pub data: u8,
}

impl Secret {
    /// Secrets that differ from the first in the plaintext alone, in the key alone, and in both.
    pub const SEVERAL: [Self; 4] =
        [Self { key: 2, data: 2 }, Self { key: 2, data: 1 }, Self { key: 3, data: 2 }, Self { key: 4, data: 0 }];

    /// A secret as its [`fmt::Display`] writes it.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let (key, data) = word.split_once(':')?;
        Some(Self { key: key.parse().ok()?, data: data.parse().ok()? })
    }

    /// The AES-256-XTS key.
    ///
    /// # Panics
    /// Never: its two halves differ.
    #[must_use]
    pub fn volume_key(self) -> VolumeKey {
        let mut bytes = SecretBytes::zeroed(64);
        fill(self.key, bytes.expose_secret_mut());
        bytes.expose_secret_mut()[63] ^= 1;
        VolumeKey::new(bytes).expect("64 bytes with different halves")
    }

    /// Writes the plaintext.
    pub fn write_data(self, data: &mut [u8]) {
        fill(self.data, data);
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.key, self.data)
    }
}

/// Bytes without an evident pattern; 0 and 1 are the extremes, all bits clear and all bits set. Every number takes the
/// same way through the code, so that nothing but the bytes tells afterwards which one it was.
fn fill(seed: u8, bytes: &mut [u8]) {
    let (keep, set) = match seed {
        0 => (0, 0),
        1 => (0, 0xff),
        _ => (0xff, 0),
    };
    let mut state = u64::from(seed);
    for byte in bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *byte = state.to_be_bytes()[0] & keep | set;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_as_it_was_written() {
        for secret in Secret::SEVERAL {
            assert_eq!(Secret::parse(&secret.to_string()), Some(secret));
        }
        assert_eq!(Secret::parse("2"), None);
    }

    #[test]
    fn the_plaintexts_differ_in_their_first_byte() {
        let first = |data| {
            let mut bytes = [0];
            Secret { key: 2, data }.write_data(&mut bytes);
            bytes[0]
        };
        assert_eq!([first(0), first(1)], [0, 0xff]);
        assert!(![0, 0xff].contains(&first(2)));
    }
}
