//! The anti-forensic splitter (LUKS2 spec, keyslot object `af` of type `luks1`; TKS1, section 2.4).
//!
//! A key is spread over `stripes` blocks of its own length so that losing any one block loses the key: destroying a
//! keyslot then takes only one reliably overwritten block out of 4000.

use zeroize::Zeroizing;

use super::hash::Hash;
use crate::secret::SecretBytes;

/// How a key is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Af {
    /// Hash of the diffusion.
    pub hash: Hash,
    /// Number of blocks; LUKS2 always writes 4000.
    pub stripes: u32,
}

/// The number of stripes in every LUKS2 header.
pub const STRIPES: u32 = 4000;

/// The split material does not hold `stripes` blocks of the key's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("keyslot af: {material} bytes of key material are not {stripes} stripes of {key} bytes")]
pub struct BadMaterial {
    material: usize,
    stripes: u32,
    key: usize,
}

impl Af {
    /// Length in bytes of the material that a key of `key_len` bytes becomes; `None` on overflow.
    #[must_use]
    pub fn material_len(self, key_len: usize) -> Option<usize> {
        usize::try_from(self.stripes).ok()?.checked_mul(key_len)
    }

    /// Splits a key: all blocks but the last are random.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn split(self, key: &[u8]) -> Result<SecretBytes, getrandom::Error> {
        let mut material = SecretBytes::zeroed(self.material_len(key.len()).unwrap_or(0));
        let random_len = material.expose_secret().len().saturating_sub(key.len());
        let (random, last) = material.expose_secret_mut().split_at_mut(random_len);
        getrandom::fill(random)?;
        let state = self.diffuse_all(random, key.len());
        last.iter_mut().zip(state.iter().zip(key)).for_each(|(out, (state, key))| *out = state ^ key);
        Ok(material)
    }

    /// Puts a key of `key_len` bytes together again. Material that was changed gives a wrong key, not an error: the
    /// digest tells.
    ///
    /// # Errors
    /// [`BadMaterial`] when the lengths do not fit.
    pub fn merge(self, material: &[u8], key_len: usize) -> Result<SecretBytes, BadMaterial> {
        if self.stripes == 0 || key_len == 0 || self.material_len(key_len) != Some(material.len()) {
            return Err(BadMaterial { material: material.len(), stripes: self.stripes, key: key_len });
        }
        let (blocks, last) = material.split_at(material.len() - key_len);
        let state = self.diffuse_all(blocks, key_len);
        let mut key = SecretBytes::zeroed(key_len);
        let out = key.expose_secret_mut().iter_mut();
        out.zip(state.iter().zip(last)).for_each(|(out, (state, last))| *out = state ^ last);
        Ok(key)
    }

    /// d ← H(d ⊕ block) for every block, from d = 0.
    fn diffuse_all(self, blocks: &[u8], block_len: usize) -> Zeroizing<Vec<u8>> {
        let mut state = Zeroizing::new(vec![0; block_len]);
        for block in blocks.chunks_exact(block_len) {
            state.iter_mut().zip(block).for_each(|(state, block)| *state ^= block);
            self.diffuse(&mut state);
        }
        state
    }

    /// Replaces every hash-sized piece p(i) of the block by H(i as 32-bit big-endian ‖ p(i)), the last one cut short.
    fn diffuse(self, block: &mut [u8]) {
        for (index, piece) in (0u32..).zip(block.chunks_mut(self.hash.output_len())) {
            let input = Zeroizing::new(piece.to_vec());
            self.hash.digest_prefix(&[&index.to_be_bytes(), &input], piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_lost_block_loses_the_key() {
        let af = Af { hash: Hash::Sha256, stripes: 8 };
        let material = af.split(&[7; 64]).unwrap();
        for block in 0..8 {
            let mut damaged = material.expose_secret().to_vec();
            damaged[block * 64] ^= 1;
            assert_ne!(af.merge(&damaged, 64).unwrap().expose_secret(), &[7; 64], "block {block}");
        }
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        let af = Af { hash: Hash::Sha256, stripes: 4 };
        assert!(af.merge(&[0; 255], 64).is_err());
        assert!(af.merge(&[], 0).is_err());
        assert!(Af { stripes: 0, ..af }.merge(&[], 64).is_err());
        assert!(Af { stripes: u32::MAX, ..af }.merge(&[0; 64], usize::MAX).is_err());
    }

    proptest! {
        #[test]
        fn merging_undoes_splitting(
            key in proptest::collection::vec(any::<u8>(), 1..130),
            stripes in 1u32..12,
            hash in prop::sample::select(vec![Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512]),
        ) {
            let af = Af { hash, stripes };
            let material = af.split(&key).unwrap();
            let merged = af.merge(material.expose_secret(), key.len()).unwrap();
            prop_assert_eq!(merged.expose_secret(), &key[..]);
        }
    }
}
