//! Segments: what the data device holds (LUKS2 spec, section 3.3).

use super::error::Problem;
use super::object::Fields;
use super::{BadMetadata, Object, decimal};
use crate::geometry::SectorSize;

/// One segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First byte on the data device.
    pub offset: u64,
    /// How far it reaches.
    pub size: SegmentSize,
    /// Marks of a reencryption, such as `backup-final`; empty otherwise.
    pub flags: Vec<String>,
    /// What lies there.
    pub kind: SegmentKind,
    /// Members that the specification does not have, and all members of an unknown type.
    pub rest: Object,
}

/// How far a segment reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentSize {
    /// To the end of the data device.
    Dynamic,
    /// This many bytes.
    Fixed(u64),
}

/// A segment's type and its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// Type `crypt`: ciphertext.
    Crypt(CryptSegment),
    /// Type `linear`: plaintext, as in the middle of a reencryption.
    Linear,
    /// Any other type.
    Other(String),
}

/// The members of a segment of type `crypt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CryptSegment {
    /// Added to every tweak, in 512-byte units.
    pub iv_tweak: u64,
    /// The cipher in dm-crypt's notation, such as `aes-xts-plain64`.
    pub encryption: String,
    /// Size of one data unit.
    pub sector_size: SectorSize,
    /// The member `integrity`, if there is one.
    pub integrity: Option<Object>,
}

impl Segment {
    /// Whether this is a reencryption's note for going back, which takes no part in the numbering.
    #[must_use]
    pub fn is_backup(&self) -> bool {
        self.flags.iter().any(|flag| flag.starts_with("backup-"))
    }

    pub(super) fn read(mut fields: Fields) -> Result<Self, BadMetadata> {
        let kind = match fields.string("type")?.as_str() {
            "crypt" => SegmentKind::Crypt(CryptSegment::read(&mut fields)?),
            "linear" => SegmentKind::Linear,
            other => SegmentKind::Other(other.to_owned()),
        };
        Ok(Self {
            offset: fields.uint64("offset")?,
            size: SegmentSize::read(&mut fields)?,
            flags: if fields.has("flags") { fields.strings("flags")? } else { Vec::new() },
            kind,
            rest: fields.rest(),
        })
    }

    pub(super) fn to_object(&self) -> Object {
        let mut object = self.rest.clone();
        object.put_u64("offset", self.offset);
        match self.size {
            SegmentSize::Dynamic => object.put_str("size", "dynamic"),
            SegmentSize::Fixed(size) => object.put_u64("size", size),
        }
        if !self.flags.is_empty() {
            object.put_strings("flags", &self.flags);
        }
        match &self.kind {
            SegmentKind::Crypt(crypt) => crypt.put(&mut object),
            SegmentKind::Linear => object.put_str("type", "linear"),
            SegmentKind::Other(kind) => object.put_str("type", kind),
        }
        object
    }
}

impl SegmentSize {
    fn read(fields: &mut Fields) -> Result<Self, BadMetadata> {
        let text = fields.string("size")?;
        if text == "dynamic" {
            return Ok(Self::Dynamic);
        }
        decimal(&text).map(Self::Fixed).ok_or_else(|| fields.bad("size", Problem::NotUint64))
    }
}

impl CryptSegment {
    fn read(fields: &mut Fields) -> Result<Self, BadMetadata> {
        let iv_tweak = fields.uint64("iv_tweak")?;
        let encryption = fields.string("encryption")?;
        let value = fields.uint32("sector_size")?;
        let sector_size = SectorSize::try_from(value);
        Ok(Self {
            iv_tweak,
            encryption,
            sector_size: sector_size.map_err(|_| fields.bad("sector_size", Problem::SectorSize { value }))?,
            integrity: if fields.has("integrity") { Some(fields.object("integrity")?.rest()) } else { None },
        })
    }

    fn put(&self, object: &mut Object) {
        object.put_str("type", "crypt");
        object.put_u64("iv_tweak", self.iv_tweak);
        object.put_str("encryption", &self.encryption);
        object.put_u32("sector_size", self.sector_size.bytes());
        if let Some(integrity) = &self.integrity {
            object.put_object("integrity", integrity);
        }
    }
}
