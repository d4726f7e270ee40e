//! The hash functions that a LUKS2 header may name, as libgcrypt and OpenSSL spell them.

use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// A hash that PBKDF2, the anti-forensic splitter and digests may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1: weak for signatures, still sound in PBKDF2; only old headers name it.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256, the default of cryptsetup and the only one Sear writes.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    const NAMES: [(&'static str, Self); 5] = [
        ("sha1", Self::Sha1),
        ("sha224", Self::Sha224),
        ("sha256", Self::Sha256),
        ("sha384", Self::Sha384),
        ("sha512", Self::Sha512),
    ];

    /// The hash of that name, lower case; `None` for one that Sear does not implement.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, hash)| hash)
    }

    /// The name as it stands in a header.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of the output in bytes.
    #[must_use]
    pub fn output_len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Writes the first `out.len()` bytes of the hash of `parts`, one after the other, to `out`.
    pub(super) fn digest_prefix(self, parts: &[&[u8]], out: &mut [u8]) {
        match self {
            Self::Sha1 => prefix::<Sha1>(parts, out),
            Self::Sha224 => prefix::<Sha224>(parts, out),
            Self::Sha256 => prefix::<Sha256>(parts, out),
            Self::Sha384 => prefix::<Sha384>(parts, out),
            Self::Sha512 => prefix::<Sha512>(parts, out),
        }
    }

    /// PBKDF2 (RFC 8018 §5.2) with HMAC over this hash.
    pub(super) fn pbkdf2(self, password: &[u8], salt: &[u8], iterations: u32, out: &mut [u8]) {
        match self {
            Self::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, out),
            Self::Sha224 => pbkdf2::pbkdf2_hmac::<Sha224>(password, salt, iterations, out),
            Self::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, out),
            Self::Sha384 => pbkdf2::pbkdf2_hmac::<Sha384>(password, salt, iterations, out),
            Self::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, iterations, out),
        }
    }
}

fn prefix<D: Digest>(parts: &[&[u8]], out: &mut [u8]) {
    let mut hasher = D::new();
    parts.iter().for_each(|part| hasher.update(part));
    let mut full = hasher.finalize();
    out.copy_from_slice(&full[..out.len()]);
    zeroize::Zeroize::zeroize(full.as_mut_slice());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_hashes_map_both_ways() {
        for (name, hash) in Hash::NAMES {
            assert_eq!(Hash::from_name(name), Some(hash));
            assert_eq!(hash.name(), name);
        }
        assert_eq!(Hash::from_name("SHA256"), None);
        assert_eq!(Hash::from_name("whirlpool"), None);
    }
}
