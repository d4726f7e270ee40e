//! One copy of the metadata: the binary header, its checksum and the JSON document.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use super::binary::{
    BINARY_LEN, BadBinary, CHECKSUM_AT, CHECKSUM_FIELD, CopyId, HeaderSize, Name48, RawHeader, SALT_LEN, UuidText,
};
use super::json::{BadMetadata, Metadata};

/// A header whose checksum matched and whose metadata obeys every rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedHeader {
    /// Size of one copy.
    pub size: HeaderSize,
    /// Grows by one with every change.
    pub seqid: u64,
    /// The volume's label.
    pub label: Name48,
    /// The volume's subsystem.
    pub subsystem: Name48,
    /// The volume's UUID.
    pub uuid: UuidText,
    /// The JSON document.
    pub metadata: Metadata,
}

/// Why the bytes of one copy are not a header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCopy {
    /// The medium ends before the copy does.
    #[error("the medium ends at byte {medium}, the header needs {needed}; was the file truncated?")]
    Truncated {
        /// Length of the medium.
        medium: u64,
        /// Where the copy would end.
        needed: u64,
    },
    /// The medium could not read it.
    #[error("reading failed: {0}")]
    Read(std::io::ErrorKind),
    /// A field of the binary header is wrong.
    #[error(transparent)]
    Binary(#[from] BadBinary),
    /// The bytes are not those that were written.
    #[error("the checksum does not match: the header was damaged or a write was cut short")]
    Checksum,
    /// The JSON document breaks a rule.
    #[error(transparent)]
    Json(#[from] BadMetadata),
}

impl CheckedHeader {
    /// Reads the copy `id` out of `bytes`, whose first 4096 bytes were read as `raw`.
    ///
    /// # Errors
    /// When the checksum differs or the JSON document breaks a rule.
    pub fn parse(raw: RawHeader, bytes: &[u8]) -> Result<Self, BadCopy> {
        let stored = bytes.get(CHECKSUM_AT).unwrap_or_default();
        if !bool::from(checksum(bytes).as_slice().ct_eq(stored)) {
            return Err(BadCopy::Checksum);
        }
        let area = bytes.get(BINARY_LEN..).unwrap_or_default();
        let metadata = Metadata::parse(area, raw.size)?;
        let RawHeader { size, seqid, label, subsystem, uuid } = raw;
        Ok(Self { size, seqid, label, subsystem, uuid, metadata })
    }

    /// The bytes of the copy `id`, all of [`Self::size`], checksum included.
    ///
    /// # Errors
    /// When the document breaks a rule or does not fit.
    pub fn encode(&self, id: CopyId, salt: &[u8; SALT_LEN]) -> Result<Vec<u8>, BadMetadata> {
        let Self { size, seqid, label, subsystem, uuid, ref metadata } = *self;
        let json = metadata.encode(size)?;
        let binary = RawHeader { size, seqid, label, subsystem, uuid }.encode(id, salt);
        let mut bytes = [&binary, json.as_bytes()].concat();
        bytes.resize(size.len(), 0);
        let sum = checksum(&bytes);
        bytes[CHECKSUM_AT].copy_from_slice(&sum);
        Ok(bytes)
    }
}

/// SHA-256 over a whole copy with the checksum field taken as zero (LUKS2 spec, section 2.1).
fn checksum(bytes: &[u8]) -> [u8; 32] {
    let before = bytes.get(..CHECKSUM_FIELD.start).unwrap_or_default();
    let after = bytes.get(CHECKSUM_FIELD.end..).unwrap_or_default();
    Sha256::new()
        .chain_update(before)
        .chain_update([0; CHECKSUM_FIELD.end - CHECKSUM_FIELD.start])
        .chain_update(after)
        .finalize()
        .into()
}
