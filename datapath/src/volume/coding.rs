//! Between plaintext and what the backend keeps.

use keywrap::geometry::{DataSegment, Lba};

use crate::cipher::Cipher;

/// How bytes are kept.
pub(super) enum Coding {
    /// AES-XTS.
    Cipher(Cipher),
    /// As they are: what remains of the path without its cipher, to measure what the cipher costs.
    Plain,
}

impl Coding {
    /// Turns the plaintext of whole sectors, from byte `offset` of the segment, into what is kept of it.
    pub(super) fn seal(&self, segment: &DataSegment, offset: u64, data: &mut [u8]) {
        if let Self::Cipher(cipher) = self {
            cipher.encrypt(data, segment.sector_size, tweak(segment, offset));
        }
    }

    /// The same from one place to another of the same length.
    pub(super) fn seal_to(&self, segment: &DataSegment, offset: u64, plain: &[u8], out: &mut [u8]) {
        match self {
            Self::Cipher(cipher) => cipher.encrypt_to(plain, out, segment.sector_size, tweak(segment, offset)),
            Self::Plain => out.copy_from_slice(plain),
        }
    }

    /// Turns what is kept of whole sectors, from byte `offset` of the segment, into plaintext.
    pub(super) fn open(&self, segment: &DataSegment, offset: u64, data: &mut [u8]) {
        if let Self::Cipher(cipher) = self {
            cipher.decrypt(data, segment.sector_size, tweak(segment, offset));
        }
    }

    /// The same from one place to another of the same length.
    pub(super) fn open_to(&self, segment: &DataSegment, offset: u64, kept: &[u8], out: &mut [u8]) {
        match self {
            Self::Cipher(cipher) => cipher.decrypt_to(kept, out, segment.sector_size, tweak(segment, offset)),
            Self::Plain => out.copy_from_slice(kept),
        }
    }
}

/// The tweak of the sector at byte `offset`.
fn tweak(segment: &DataSegment, offset: u64) -> u64 {
    segment.tweak(Lba(offset >> segment.sector_size.shift()))
}
