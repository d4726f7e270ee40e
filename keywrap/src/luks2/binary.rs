//! The 4096-byte binary header that starts each copy of the metadata (LUKS2 spec, section 2.1).

use std::borrow::Cow;

use uuid::Uuid;

/// Length of the binary header in bytes; the JSON area follows at once.
pub const BINARY_LEN: usize = 4096;
/// Length of the random salt that makes every written copy differ, in bytes.
pub const SALT_LEN: usize = 64;

const PRIMARY_MAGIC: &[u8; 6] = b"LUKS\xba\xbe";
const SECONDARY_MAGIC: &[u8; 6] = b"SKUL\xba\xbe";
const CHECKSUM_ALG: &[u8] = b"sha256";
const UUID_TEXT_LEN: usize = 36;

/// Byte position of every field, big-endian where it is a number.
mod at {
    use std::ops::Range;

    pub(super) const MAGIC: Range<usize> = 0..6;
    pub(super) const VERSION: Range<usize> = 6..8;
    pub(super) const HDR_SIZE: Range<usize> = 8..16;
    pub(super) const SEQID: Range<usize> = 16..24;
    pub(super) const LABEL: Range<usize> = 24..72;
    pub(super) const CHECKSUM_ALG: Range<usize> = 72..104;
    pub(super) const SALT: Range<usize> = 104..168;
    pub(super) const UUID: Range<usize> = 168..208;
    pub(super) const SUBSYSTEM: Range<usize> = 208..256;
    pub(super) const HDR_OFFSET: Range<usize> = 256..264;
    pub(super) const CHECKSUM: Range<usize> = 448..512;
}

/// Where the 32 bytes of the SHA-256 checksum lie; the other half of the field is zero.
pub(super) const CHECKSUM_AT: std::ops::Range<usize> = at::CHECKSUM.start..at::CHECKSUM.start + 32;
/// The whole checksum field, zeroed while the checksum is computed.
pub(super) const CHECKSUM_FIELD: std::ops::Range<usize> = at::CHECKSUM;

/// Which of the two copies of the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CopyId {
    /// The one at byte 0.
    Primary,
    /// The one that follows the primary's JSON area.
    Secondary,
}

impl CopyId {
    const fn magic(self) -> &'static [u8; 6] {
        match self {
            Self::Primary => PRIMARY_MAGIC,
            Self::Secondary => SECONDARY_MAGIC,
        }
    }

    /// The byte at which this copy starts when a copy is `size` long.
    #[must_use]
    pub const fn offset(self, size: HeaderSize) -> u64 {
        match self {
            Self::Primary => 0,
            Self::Secondary => size.bytes(),
        }
    }
}

impl std::fmt::Display for CopyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Primary => "primary header",
            Self::Secondary => "secondary header",
        })
    }
}

/// The size of one copy of the metadata: the binary header and its JSON area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeaderSize(u64);

impl HeaderSize {
    /// 16 KiB, the default.
    pub const DEFAULT: Self = Self(16 << 10);

    /// Every legal size in ascending order, 16 KiB to 4 MiB (LUKS2 spec, table 1).
    pub const ALL: [Self; 9] = [
        Self(16 << 10),
        Self(32 << 10),
        Self(64 << 10),
        Self(128 << 10),
        Self(256 << 10),
        Self(512 << 10),
        Self(1 << 20),
        Self(2 << 20),
        Self(4 << 20),
    ];

    /// The legal size of exactly `bytes` bytes.
    #[must_use]
    pub fn from_bytes(bytes: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.0 == bytes)
    }

    /// The size in bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// The size as the length of a buffer.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "at most 4 MiB")]
    #[expect(clippy::len_without_is_empty, reason = "no header is empty")]
    pub const fn len(self) -> usize {
        self.0 as usize
    }

    /// Length of the JSON area in bytes, as `config.json_size` states it.
    #[must_use]
    pub const fn json_bytes(self) -> u64 {
        self.0 - BINARY_LEN as u64
    }

    /// The first byte after both copies: where keyslot areas may begin.
    #[must_use]
    pub const fn both_copies(self) -> u64 {
        2 * self.0
    }
}

/// A label or subsystem name: at most 47 bytes and a terminating zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name48([u8; 48]);

impl Name48 {
    /// No name.
    pub const EMPTY: Self = Self([0; 48]);

    /// Takes a text of at most 47 bytes without a zero byte; `None` for any other.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if text.len() > 47 || text.contains('\0') {
            return None;
        }
        let mut bytes = [0; 48];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Some(Self(bytes))
    }

    /// The text up to the first zero; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(until_zero(&self.0))
    }
}

impl std::fmt::Debug for Name48 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.text().fmt(f)
    }
}

/// A volume's UUID with the exact text that the header stores, which is what keys are derived from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UuidText([u8; UUID_TEXT_LEN]);

impl UuidText {
    /// The 36 characters as stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The 36 bytes as stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; UUID_TEXT_LEN] {
        &self.0
    }

    /// The value.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        Uuid::try_parse_ascii(&self.0).unwrap_or_default()
    }

    fn parse(field: &[u8]) -> Option<Self> {
        let text: [u8; UUID_TEXT_LEN] = until_zero(field).try_into().ok()?;
        Uuid::try_parse_ascii(&text).ok()?;
        Some(Self(text))
    }
}

impl From<Uuid> for UuidText {
    fn from(uuid: Uuid) -> Self {
        let mut text = [0; UUID_TEXT_LEN];
        uuid.hyphenated().encode_lower(&mut text);
        Self(text)
    }
}

impl std::fmt::Display for UuidText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for UuidText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why 4096 bytes are not a binary header that this program can use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBinary {
    /// Neither copy's magic is there: something else, or nothing, lies at this place.
    #[error("there is no LUKS magic")]
    NoMagic,
    /// A LUKS1 header, which has one copy and no JSON.
    #[error("this is LUKS version 1; convert it first: cryptsetup convert --type luks2")]
    Luks1,
    /// A version that does not exist yet.
    #[error("LUKS version {0} is unknown")]
    Version(u16),
    /// `hdr_size` is not one of the nine legal sizes.
    #[error("hdr_size {0} is not a legal header size (16 KiB to 4 MiB, a power of two)")]
    Size(u64),
    /// `hdr_offset` is not where the copy was read from.
    #[error("hdr_offset says {stated}, but the copy lies at {actual}")]
    Offset {
        /// The field's value.
        stated: u64,
        /// The byte at which the copy was read.
        actual: u64,
    },
    /// A secondary copy that lies elsewhere than right after a primary of its own size.
    #[error("the secondary copy lies at {actual}, but its hdr_size is {size}")]
    SecondaryOffset {
        /// The field `hdr_size`.
        size: u64,
        /// The byte at which the copy was read.
        actual: u64,
    },
    /// A checksum algorithm other than sha256.
    #[error("checksum algorithm {0:?} is not supported, only sha256")]
    ChecksumAlg(String),
    /// The UUID field is not the 36-character text of a UUID.
    #[error("the uuid field is not the text of a UUID")]
    Uuid,
}

/// A binary header whose fields are legal, but whose checksum has not been compared and whose JSON is unread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawHeader {
    /// Size of this copy with its JSON area.
    pub size: HeaderSize,
    /// Grows by one with every change of the metadata.
    pub seqid: u64,
    /// The volume's label.
    pub label: Name48,
    /// The volume's subsystem.
    pub subsystem: Name48,
    /// The volume's UUID.
    pub uuid: UuidText,
}

impl RawHeader {
    /// Reads the fields of the copy `id` that was found at byte `offset`.
    ///
    /// # Errors
    /// One [`BadBinary`] for each field that can be wrong.
    pub fn parse(bytes: &[u8; BINARY_LEN], id: CopyId, offset: u64) -> Result<Self, BadBinary> {
        if &bytes[at::MAGIC] != id.magic() {
            return Err(BadBinary::NoMagic);
        }
        match be_u16(&bytes[at::VERSION]) {
            1 => return Err(BadBinary::Luks1),
            2 => {}
            other => return Err(BadBinary::Version(other)),
        }
        let stated_size = be_u64(&bytes[at::HDR_SIZE]);
        let size = HeaderSize::from_bytes(stated_size).ok_or(BadBinary::Size(stated_size))?;
        let stated = be_u64(&bytes[at::HDR_OFFSET]);
        if stated != offset {
            return Err(BadBinary::Offset { stated, actual: offset });
        }
        if id.offset(size) != offset {
            return Err(BadBinary::SecondaryOffset { size: stated_size, actual: offset });
        }
        let algorithm = until_zero(&bytes[at::CHECKSUM_ALG]);
        if algorithm != CHECKSUM_ALG {
            return Err(BadBinary::ChecksumAlg(String::from_utf8_lossy(algorithm).into_owned()));
        }
        Ok(Self {
            size,
            seqid: be_u64(&bytes[at::SEQID]),
            label: name(&bytes[at::LABEL]),
            subsystem: name(&bytes[at::SUBSYSTEM]),
            uuid: UuidText::parse(&bytes[at::UUID]).ok_or(BadBinary::Uuid)?,
        })
    }

    /// Writes the fields as the copy `id`, with a zero checksum. Padding is zero, as the specification asks.
    #[must_use]
    pub fn encode(&self, id: CopyId, salt: &[u8; SALT_LEN]) -> [u8; BINARY_LEN] {
        let mut bytes = [0; BINARY_LEN];
        bytes[at::MAGIC].copy_from_slice(id.magic());
        bytes[at::VERSION].copy_from_slice(&2u16.to_be_bytes());
        bytes[at::HDR_SIZE].copy_from_slice(&self.size.bytes().to_be_bytes());
        bytes[at::SEQID].copy_from_slice(&self.seqid.to_be_bytes());
        bytes[at::LABEL].copy_from_slice(&self.label.0);
        bytes[at::CHECKSUM_ALG][..CHECKSUM_ALG.len()].copy_from_slice(CHECKSUM_ALG);
        bytes[at::SALT].copy_from_slice(salt);
        bytes[at::UUID][..UUID_TEXT_LEN].copy_from_slice(self.uuid.as_bytes());
        bytes[at::SUBSYSTEM].copy_from_slice(&self.subsystem.0);
        bytes[at::HDR_OFFSET].copy_from_slice(&id.offset(self.size).to_be_bytes());
        bytes
    }
}

fn until_zero(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Keeps the bytes up to the first zero, so that rubbish after the text is not carried along.
fn name(field: &[u8]) -> Name48 {
    let text = until_zero(&field[..field.len() - 1]);
    let mut bytes = [0; 48];
    bytes[..text.len()].copy_from_slice(text);
    Name48(bytes)
}

fn be_u16(field: &[u8]) -> u16 {
    field.iter().fold(0, |value, &byte| value << 8 | u16::from(byte))
}

fn be_u64(field: &[u8]) -> u64 {
    field.iter().fold(0, |value, &byte| value << 8 | u64::from(byte))
}
