//! The protection of TLS records, one direction at a time: opened where they were received, sealed where they will be
//! sent from. RFC 8446 section 5.2 for TLS 1.3; RFC 5246 section 6.2.3.3, RFC 5288 and RFC 7905 for TLS 1.2.
//!
//! ```text
//! TLS 1.3   type 23 | 3 3 | length | [ plaintext | type | zeroes ] | tag
//! TLS 1.2   type    | 3 3 | length | (AES-GCM: 8 bytes of nonce) | [ plaintext ] | tag
//! ```

use std::ops::Range;

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use rustls::{ConnectionTrafficSecrets, ProtocolVersion};

/// Bytes before the protected part of every record.
pub(super) const HEADER: usize = 5;
/// Plaintext in one record at most.
const MAX_FRAGMENT: usize = 1 << 14;
/// What a record may be longer than its plaintext (TLS 1.2; TLS 1.3 allows less).
const MAX_EXPANSION: usize = 2048;
const TAG: usize = 16;
/// The level of an alert that ends a session.
pub(super) const FATAL: u8 = 2;
/// What every record since TLS 1.0 begins with, after its type.
const VERSION: [u8; 2] = [3, 3];

/// What is in a record (RFC 8446 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content(pub(super) u8);

impl Content {
    pub(super) const ALERT: Self = Self(21);
    pub(super) const HANDSHAKE: Self = Self(22);
    pub(super) const DATA: Self = Self(23);
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::export::nbd) enum RecordError {
    #[error("a record is longer than TLS allows")]
    Overflow,
    #[error("a record is not what the peer sent")]
    Damaged,
    #[error("a record has a content that is not allowed now")]
    Unexpected,
    #[error("a key has protected all the records that it safely can")]
    Exhausted,
}

impl RecordError {
    /// The alert that tells the peer (RFC 8446 section 6.2).
    pub(super) fn alert(self) -> u8 {
        match self {
            Self::Overflow => 22,
            Self::Damaged => 20,
            Self::Unexpected => 10,
            Self::Exhausted => 80,
        }
    }
}

/// How long the record is that `bytes` begin with, header included; `None` before its header is complete.
///
/// # Errors
/// [`RecordError`] when it is longer than any record may be, or none at all.
pub(super) fn length(bytes: &[u8]) -> Result<Option<usize>, RecordError> {
    let Some([_, major, _, high, low]) = bytes.first_chunk::<HEADER>() else { return Ok(None) };
    if *major != VERSION[0] {
        return Err(RecordError::Unexpected);
    }
    let body = usize::from(u16::from_be_bytes([*high, *low]));
    if body > MAX_FRAGMENT + MAX_EXPANSION {
        return Err(RecordError::Overflow);
    }
    Ok(Some(HEADER + body))
}

/// Tells a peer without a key what it did wrong.
pub(super) fn complain(alert: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&[Content::ALERT.0, VERSION[0], VERSION[1], 0, 2, FATAL, alert]);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Thirteen,
    /// The second half of the nonce travels with the record.
    TwelveGcm,
    TwelveChaCha,
}

/// The key of one direction.
pub(super) struct Protection {
    key: LessSafeKey,
    iv: [u8; 12],
    /// Records that it has protected.
    sequence: u64,
    form: Form,
}

impl Protection {
    /// The protection that a handshake or a key update led to.
    ///
    /// # Errors
    /// [`RecordError::Unexpected`] for a suite or version that this module does not know.
    pub(super) fn new(
        version: ProtocolVersion,
        (sequence, secrets): &(u64, ConnectionTrafficSecrets),
    ) -> Result<Self, RecordError> {
        let (algorithm, key, iv): (&'static Algorithm, _, _) = match secrets {
            ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (&AES_128_GCM, key, iv),
            ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (&AES_256_GCM, key, iv),
            ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => (&CHACHA20_POLY1305, key, iv),
            _ => return Err(RecordError::Unexpected),
        };
        let form = match version {
            ProtocolVersion::TLSv1_3 => Form::Thirteen,
            ProtocolVersion::TLSv1_2 if *algorithm == CHACHA20_POLY1305 => Form::TwelveChaCha,
            ProtocolVersion::TLSv1_2 => Form::TwelveGcm,
            _ => return Err(RecordError::Unexpected),
        };
        let key = UnboundKey::new(algorithm, key.as_ref()).map_err(|_| RecordError::Unexpected)?;
        let iv = iv.as_ref().try_into().map_err(|_| RecordError::Unexpected)?;
        Ok(Self { key: LessSafeKey::new(key), iv, sequence: *sequence, form })
    }

    /// Records that the key has protected.
    pub(super) fn records(&self) -> u64 {
        self.sequence
    }

    /// Opens a whole record in place; its content, and where the plaintext is.
    ///
    /// # Errors
    /// [`RecordError`]; the record is lost, and so is the connection.
    pub(super) fn open(&mut self, record: &mut [u8]) -> Result<(Content, Range<usize>), RecordError> {
        let (header, body) = record.split_first_chunk_mut::<HEADER>().ok_or(RecordError::Damaged)?;
        let outer = Content(header[0]);
        if self.form == Form::Thirteen && outer != Content::DATA {
            return Err(RecordError::Unexpected);
        }
        let explicit = self.explicit();
        let sealed = body.len().checked_sub(explicit + TAG).ok_or(RecordError::Damaged)?;
        let mut nonce = self.nonce();
        nonce[12 - explicit..].copy_from_slice(&body[..explicit]);
        let aad = self.additional(outer, sealed, *header);
        let plain = self
            .key
            .open_in_place(Nonce::assume_unique_for_key(nonce), aad.aad(), &mut body[explicit..])
            .map_err(|_| RecordError::Damaged)?;
        self.sequence = self.sequence.checked_add(1).ok_or(RecordError::Exhausted)?;
        let (content, len) = match self.form {
            Form::Thirteen => {
                let last = plain.iter().rposition(|byte| *byte != 0).ok_or(RecordError::Unexpected)?;
                (Content(plain[last]), last)
            }
            _ => (outer, plain.len()),
        };
        if len > MAX_FRAGMENT {
            return Err(RecordError::Overflow);
        }
        let start = HEADER + explicit;
        Ok((content, start..start + len))
    }

    /// Begins a record at the end of `out`, to which plaintext is then appended, as much as [`Self::room`] says. The
    /// result is its name for the other methods.
    pub(super) fn begin(&self, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        out.resize(start + HEADER + self.explicit(), 0);
        start
    }

    /// How much more plaintext the record takes.
    pub(super) fn room(&self, out: &[u8], start: usize) -> usize {
        MAX_FRAGMENT.saturating_sub(out.len() - start - HEADER - self.explicit())
    }

    /// Ends the record.
    ///
    /// # Errors
    /// [`RecordError::Exhausted`] after 2^64 records.
    pub(super) fn seal(&mut self, content: Content, out: &mut Vec<u8>, start: usize) -> Result<(), RecordError> {
        let (explicit, nonce) = (self.explicit(), self.nonce());
        let body = start + HEADER + explicit;
        let plain = out.len() - body;
        let outer = if self.form == Form::Thirteen {
            out.push(content.0);
            Content::DATA
        } else {
            content
        };
        let len = u16::try_from(out.len() - start - HEADER + TAG).map_err(|_| RecordError::Overflow)?;
        let [high, low] = len.to_be_bytes();
        let header = [outer.0, VERSION[0], VERSION[1], high, low];
        out[start..start + HEADER].copy_from_slice(&header);
        out[start + HEADER..body].copy_from_slice(&nonce[12 - explicit..]);
        let aad = self.additional(outer, plain, header);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.key.seal_in_place_separate_tag(nonce, aad.aad(), &mut out[body..]);
        out.extend_from_slice(tag.map_err(|_| RecordError::Overflow)?.as_ref());
        self.sequence = self.sequence.checked_add(1).ok_or(RecordError::Exhausted)?;
        Ok(())
    }

    fn explicit(&self) -> usize {
        if self.form == Form::TwelveGcm { 8 } else { 0 }
    }

    /// RFC 8446 section 5.3; the same for TLS 1.2 by RFC 7905, and a free choice there for AES-GCM.
    fn nonce(&self) -> [u8; 12] {
        let mut nonce = self.iv;
        for (byte, counted) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= counted;
        }
        nonce
    }

    /// What is authenticated besides the plaintext.
    fn additional(&self, outer: Content, plain: usize, header: [u8; HEADER]) -> Additional {
        let mut bytes = [0; 13];
        if self.form == Form::Thirteen {
            bytes[..HEADER].copy_from_slice(&header);
            return Additional { bytes, len: HEADER };
        }
        bytes[..8].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[8..11].copy_from_slice(&[outer.0, VERSION[0], VERSION[1]]);
        bytes[11..].copy_from_slice(&u16::try_from(plain).unwrap_or(u16::MAX).to_be_bytes());
        Additional { bytes, len: 13 }
    }
}

struct Additional {
    bytes: [u8; 13],
    len: usize,
}

impl Additional {
    fn aad(&self) -> Aad<&[u8]> {
        Aad::from(&self.bytes[..self.len])
    }
}
