//! Wrapping one key under another: AES-256-KW (RFC 3394) and, for lengths that are not a multiple of 8 bytes,
//! AES-256-KWP (RFC 5649). NIST SP 800-38F names the two KW and KWP and sets the same limits.

use aes_kw::{KeyInit, KwAes256, KwpAes256};

use crate::secret::{Secret, SecretBytes};

/// What wrapping adds to a key at the front, and the unit in which lengths are counted, in bytes.
const SEMIBLOCK: usize = 8;

/// The longest key that is wrapped or unwrapped here, in bytes. The RFCs allow far more; a key is never this long.
pub const MAX_KEY_LEN: usize = 4096;

/// Why a key was not wrapped or unwrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrapError {
    /// The wrapped bytes were changed, or they were wrapped under another key.
    #[error("the wrapped key does not belong to this wrapping key, or it was changed")]
    Integrity,
    /// The length cannot be that of a key (to wrap) or of a wrapped key (to unwrap).
    #[error("{len} bytes are not a length that {scheme} can {action}")]
    Length {
        /// `AES-KW` or `AES-KWP`.
        scheme: &'static str,
        /// `wrap` or `unwrap`.
        action: &'static str,
        /// The length that was given, in bytes.
        len: usize,
    },
}

/// Wraps `key` with AES-256-KW (RFC 3394 §2.2.1). The result is 8 bytes longer.
///
/// # Errors
/// [`WrapError::Length`] unless the key is 16 bytes or more, a multiple of 8, and at most [`MAX_KEY_LEN`].
pub fn wrap(kek: &Secret<32>, key: &[u8]) -> Result<Vec<u8>, WrapError> {
    let legal = (2 * SEMIBLOCK..=MAX_KEY_LEN).contains(&key.len()) && key.len().is_multiple_of(SEMIBLOCK);
    let error = WrapError::Length { scheme: "AES-KW", action: "wrap", len: key.len() };
    if !legal {
        return Err(error);
    }
    let mut wrapped = vec![0; key.len() + SEMIBLOCK];
    KwAes256::new(kek.expose_secret().into()).wrap_key(key, &mut wrapped).map_err(|_| error)?;
    Ok(wrapped)
}

/// Unwraps what [`wrap`] made (RFC 3394 §2.2.2).
///
/// # Errors
/// [`WrapError::Length`] unless `wrapped` is 24 bytes or more, a multiple of 8, and at most [`MAX_KEY_LEN`] + 8;
/// [`WrapError::Integrity`] when the check value disagrees.
pub fn unwrap(kek: &Secret<32>, wrapped: &[u8]) -> Result<SecretBytes, WrapError> {
    let len = wrapped.len();
    let legal = (3 * SEMIBLOCK..=MAX_KEY_LEN + SEMIBLOCK).contains(&len) && len.is_multiple_of(SEMIBLOCK);
    if !legal {
        return Err(WrapError::Length { scheme: "AES-KW", action: "unwrap", len });
    }
    let mut key = SecretBytes::zeroed(len - SEMIBLOCK);
    KwAes256::new(kek.expose_secret().into())
        .unwrap_key(wrapped, key.expose_secret_mut())
        .map_err(|_| WrapError::Integrity)?;
    Ok(key)
}

/// Wraps `key` with AES-256-KWP (RFC 5649 §4.1). The result is padded to a multiple of 8 bytes and 8 bytes longer.
///
/// # Errors
/// [`WrapError::Length`] unless the key has 1 to [`MAX_KEY_LEN`] bytes.
pub fn wrap_padded(kek: &Secret<32>, key: &[u8]) -> Result<Vec<u8>, WrapError> {
    let error = WrapError::Length { scheme: "AES-KWP", action: "wrap", len: key.len() };
    if !(1..=MAX_KEY_LEN).contains(&key.len()) {
        return Err(error);
    }
    let mut wrapped = vec![0; key.len().next_multiple_of(SEMIBLOCK) + SEMIBLOCK];
    KwpAes256::new(kek.expose_secret().into()).wrap_key(key, &mut wrapped).map_err(|_| error)?;
    Ok(wrapped)
}

/// Unwraps what [`wrap_padded`] made (RFC 5649 §4.2).
///
/// # Errors
/// [`WrapError::Length`] unless `wrapped` is 16 bytes or more, a multiple of 8, and at most [`MAX_KEY_LEN`] + 8;
/// [`WrapError::Integrity`] when the check value, the length inside or the padding disagrees.
pub fn unwrap_padded(kek: &Secret<32>, wrapped: &[u8]) -> Result<SecretBytes, WrapError> {
    let len = wrapped.len();
    let legal = (2 * SEMIBLOCK..=MAX_KEY_LEN + SEMIBLOCK).contains(&len) && len.is_multiple_of(SEMIBLOCK);
    if !legal {
        return Err(WrapError::Length { scheme: "AES-KWP", action: "unwrap", len });
    }
    let mut padded = SecretBytes::zeroed(len - SEMIBLOCK);
    let key = KwpAes256::new(kek.expose_secret().into())
        .unwrap_key(wrapped, padded.expose_secret_mut())
        .map_err(|_| WrapError::Integrity)?;
    Ok(SecretBytes::copy_from(key))
}

#[cfg(test)]
mod tests;
