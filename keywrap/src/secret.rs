//! Secret bytes: boxed so that moves do not copy them, made in place, wiped on drop, compared in constant time.
//!
//! No type here implements `Debug`, `Display`, `Clone` or serialization, so a secret cannot slip into a log.

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A secret of a length known when the program is built.
pub struct Secret<const N: usize>(Box<[u8; N]>);

impl<const N: usize> Secret<N> {
    /// Fills a new secret in place, so that no copy of it is left on the stack.
    ///
    /// # Errors
    /// Whatever `fill` returns; the half-filled buffer is wiped.
    pub fn try_fill<E>(fill: impl FnOnce(&mut [u8; N]) -> Result<(), E>) -> Result<Self, E> {
        let mut secret = Self(Box::new([0; N]));
        fill(&mut secret.0)?;
        Ok(secret)
    }

    /// Fills a new secret in place, where that cannot fail.
    pub fn filled(fill: impl FnOnce(&mut [u8; N])) -> Self {
        let mut secret = Self(Box::new([0; N]));
        fill(&mut secret.0);
        secret
    }

    /// A secret from the operating system's random generator.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        Self::try_fill(|bytes| getrandom::fill(bytes))
    }

    /// Copies a secret out of `bytes`; `None` unless the length is exactly `N`. The caller wipes its own copy.
    #[must_use]
    pub fn copy_from(bytes: &[u8]) -> Option<Self> {
        let source: &[u8; N] = bytes.try_into().ok()?;
        let mut secret = Self(Box::new([0; N]));
        secret.0.copy_from_slice(source);
        Some(secret)
    }

    /// The bytes. The name is long on purpose: every use should be easy to find.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> Zeroize for Secret<N> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl<const N: usize> ZeroizeOnDrop for Secret<N> {}

impl<const N: usize> ConstantTimeEq for Secret<N> {
    fn ct_eq(&self, other: &Self) -> subtle::Choice {
        self.0.as_slice().ct_eq(other.0.as_slice())
    }
}

/// Secret bytes of a length known only at run time: a passphrase, split key material.
///
/// The buffer never grows after it was made, so no stale copy is left behind by a reallocation.
pub struct SecretBytes(Zeroizing<Box<[u8]>>);

impl Zeroize for SecretBytes {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for SecretBytes {}

impl SecretBytes {
    /// A zeroed buffer of `len` bytes to be filled through [`Self::expose_secret_mut`].
    #[must_use]
    pub fn zeroed(len: usize) -> Self {
        Self(Zeroizing::new(vec![0; len].into_boxed_slice()))
    }

    /// Copies `bytes`; the caller wipes its own copy.
    #[must_use]
    pub fn copy_from(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, to be filled in place.
    pub fn expose_secret_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copying_wants_the_exact_length() {
        assert!(Secret::<4>::copy_from(&[1, 2, 3]).is_none());
        assert!(Secret::<4>::copy_from(&[1, 2, 3, 4, 5]).is_none());
        assert_eq!(Secret::<4>::copy_from(&[1, 2, 3, 4]).unwrap().expose_secret(), &[1, 2, 3, 4]);
    }

    // Safe code cannot look at memory after it was freed, so this is what is tested of wiping: that the wipe which
    // every drop runs leaves only zeroes, and that every type that holds a key schedule or a key promises such a drop.
    #[test]
    fn the_wipe_that_drop_runs_leaves_only_zeroes() {
        let mut fixed = Secret::<32>::copy_from(&[7; 32]).unwrap();
        fixed.zeroize();
        assert_eq!(fixed.expose_secret(), &[0; 32]);
        let mut bytes = SecretBytes::copy_from(&[7; 100]);
        bytes.zeroize();
        assert_eq!(bytes.expose_secret(), &[0; 100]);
    }

    #[test]
    fn everything_that_holds_a_key_wipes_itself_on_drop() {
        const fn promises<T: ZeroizeOnDrop>() {}
        promises::<Secret<32>>();
        promises::<SecretBytes>();
        promises::<aes::Aes256>();
        promises::<aes_kw::KwAes256>();
        promises::<sha2::Sha256>();
    }

    #[test]
    fn two_random_secrets_differ() {
        let (a, b) = (Secret::<32>::random().unwrap(), Secret::<32>::random().unwrap());
        assert!(!bool::from(a.ct_eq(&b)));
        assert!(bool::from(a.ct_eq(&a)));
    }
}
