//! Digests of type `pbkdf2` (LUKS2 spec, digest object): how a candidate is known to be the volume key.

use subtle::ConstantTimeEq;

use super::hash::Hash;
use super::kdf::{Cost, Kdf, KdfError};

/// A digest of a volume key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Hash of the HMAC.
    pub hash: Hash,
    /// PBKDF2 iterations. Low is fine: the input is a uniformly random key.
    pub iterations: u32,
    /// Salt.
    pub salt: Vec<u8>,
    /// PBKDF2(key, salt, iterations), as long as the hash's output in what cryptsetup writes.
    pub digest: Vec<u8>,
}

/// The legal lengths of a digest in bytes. A shorter one would let a wrong key pass by chance.
pub const DIGEST_LEN: std::ops::RangeInclusive<usize> = 20..=64;

impl Digest {
    /// Digests `key` with SHA-256.
    ///
    /// # Errors
    /// [`KdfError`] when salt or iterations are outside the limits.
    pub fn create(key: &[u8], salt: Vec<u8>, iterations: u32) -> Result<Self, KdfError> {
        let hash = Hash::Sha256;
        let digest = compute(hash, iterations, salt.clone(), key, hash.output_len())?;
        Ok(Self { hash, iterations, salt, digest })
    }

    /// Whether `candidate` is the key that was digested, compared in constant time.
    ///
    /// # Errors
    /// [`KdfError`] when salt, iterations or the digest's length are outside the limits.
    pub fn verify(&self, candidate: &[u8]) -> Result<bool, KdfError> {
        let len = self.digest.len();
        if !DIGEST_LEN.contains(&len) {
            let (min, max) = (*DIGEST_LEN.start() as u64, *DIGEST_LEN.end() as u64);
            return Err(KdfError::Limit { field: "digest length", value: len as u64, min, max });
        }
        let computed = compute(self.hash, self.iterations, self.salt.clone(), candidate, len)?;
        Ok(computed.ct_eq(&self.digest).into())
    }
}

fn compute(hash: Hash, iterations: u32, salt: Vec<u8>, key: &[u8], len: usize) -> Result<Vec<u8>, KdfError> {
    let kdf = Kdf { cost: Cost::Pbkdf2 { hash, iterations }, salt };
    Ok(kdf.derive(key, len)?.expose_secret().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_knows_its_key_and_no_other() {
        let digest = Digest::create(&[1; 64], vec![2; 32], 1000).unwrap();
        assert!(digest.verify(&[1; 64]).unwrap());
        assert!(!digest.verify(&[2; 64]).unwrap());
        assert!(!digest.verify(&[1; 32]).unwrap());
    }

    #[test]
    fn a_digest_too_short_to_tell_keys_apart_is_refused() {
        let mut digest = Digest::create(&[1; 64], vec![2; 32], 1000).unwrap();
        digest.digest.truncate(1);
        assert!(matches!(digest.verify(&[1; 64]), Err(KdfError::Limit { field: "digest length", value: 1, .. })));
    }
}
