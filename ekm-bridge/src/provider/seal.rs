//! Sealing other secrets of the node under its root key: the client's private key, passwords of key servers.
//!
//! ```text
//! sealed = 01 ‖ AES-256-KWP(root key, SHA-256(purpose) ‖ secret)          RFC 5649
//! ```
//! The purpose is wrapped with the secret, so what was sealed for one purpose does not open for another.

use keywrap::secret::SecretBytes;
use keywrap::wrap;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::internal::refused;
use super::{ErrorKind, InternalProvider, ProviderError};

const VERSION: u8 = 1;
const PURPOSE_LEN: usize = 32;

/// The longest secret that can be sealed, in bytes.
pub const MAX_SEALED_LEN: usize = wrap::MAX_KEY_LEN - PURPOSE_LEN;

/// Whoever wraps secrets for the store.
pub trait Sealer: Send + Sync {
    /// Wraps `secret` (1 to [`MAX_SEALED_LEN`] bytes) so that it opens for the same `purpose` only.
    ///
    /// # Errors
    /// As making a key: the root key is wrong, unreadable, or cannot be made.
    fn seal(&self, purpose: &str, secret: &SecretBytes) -> Result<Vec<u8>, ProviderError>;

    /// Opens what [`Self::seal`] made.
    ///
    /// # Errors
    /// `NotAuthenticated` when the root key, the purpose or the bytes are not those that were sealed.
    fn unseal(&self, purpose: &str, sealed: &[u8]) -> Result<SecretBytes, ProviderError>;
}

impl Sealer for InternalProvider {
    fn seal(&self, purpose: &str, secret: &SecretBytes) -> Result<Vec<u8>, ProviderError> {
        let root = self.root_for_sealing()?;
        let secret = secret.expose_secret();
        let mut payload = SecretBytes::zeroed(PURPOSE_LEN + secret.len());
        let (bound, room) = payload.expose_secret_mut().split_at_mut(PURPOSE_LEN);
        bound.copy_from_slice(&Sha256::digest(purpose));
        room.copy_from_slice(secret);
        let wrapped = wrap::wrap_padded(&root.0, payload.expose_secret())
            .map_err(|error| refused(None, format!("the secret for {purpose} cannot be wrapped: {error}")))?;
        Ok([&[VERSION][..], &wrapped].concat())
    }

    fn unseal(&self, purpose: &str, sealed: &[u8]) -> Result<SecretBytes, ProviderError> {
        let not_opened = || ProviderError {
            kind: ErrorKind::NotAuthenticated,
            provider: "internal".into(),
            key_id: None,
            message: format!(
                "the root key does not open the sealed secret for {purpose}: it is not the root key that sealed it, or \
                 the record was altered; restore root key and store from the same backup, or make the secret anew"
            ),
            source: None,
        };
        let Some((&VERSION, wrapped)) = sealed.split_first() else {
            return Err(refused(None, format!("the sealed secret for {purpose} has a version that is not {VERSION}")));
        };
        let payload = wrap::unwrap_padded(&self.root_for_opening()?.0, wrapped).map_err(|_| not_opened())?;
        let (bound, secret) = payload.expose_secret().split_at_checked(PURPOSE_LEN).ok_or_else(not_opened)?;
        let is_for_this = bool::from(bound.ct_eq(Sha256::digest(purpose).as_slice())) && !secret.is_empty();
        if is_for_this { Ok(SecretBytes::copy_from(secret)) } else { Err(not_opened()) }
    }
}
