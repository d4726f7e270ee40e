//! What this program opens out of all that LUKS2 allows: one segment of AES-XTS, nothing half-converted.

use super::json::{CryptSegment, KeyslotKind, Metadata, Segment, SegmentKind, SegmentSize};
use crate::geometry::{ByteLen, DataSegment};

/// The only cipher, in dm-crypt's notation.
pub const CIPHER: &str = "aes-xts-plain64";

/// A legal volume that is refused, and the thing that is in the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// A requirement that this program does not know.
    #[error("the volume requires {0:?}, which this program does not know; use the program that set it")]
    Requirement(String),
    /// A reencryption was begun and not finished.
    #[error("the volume is in the middle of a reencryption ({0}); finish it first: cryptsetup reencrypt --resume-only")]
    Reencryption(String),
    /// A segment with authenticated encryption.
    #[error("segment {0} has integrity protection, which this program does not support")]
    Integrity(u32),
    /// A cipher other than [`CIPHER`].
    #[error("segment {segment} is encrypted with {encryption:?}; only aes-xts-plain64 is supported")]
    Cipher {
        /// The segment.
        segment: u32,
        /// Its member `encryption`.
        encryption: String,
    },
    /// A segment that is not ciphertext.
    #[error("segment {segment} is of type {kind:?}; only crypt is supported")]
    SegmentType {
        /// The segment.
        segment: u32,
        /// Its member `type`.
        kind: String,
    },
    /// No segment, or several.
    #[error("the volume has {0} segments; only volumes of exactly one are supported")]
    SegmentCount(usize),
    /// The data device is shorter than the segment.
    #[error("the data segment ends at byte {needed}, but the device ends at {device}; was the file truncated?")]
    DeviceTooShort {
        /// Where the segment ends, or where one sector of it would.
        needed: u64,
        /// Length of the data device.
        device: u64,
    },
    /// A segment up to the end of the device that leaves part of a sector over.
    #[error("the data segment is {len} bytes long, not a multiple of its sector size {sector_size}")]
    OddLength {
        /// Length of the segment in bytes.
        len: u64,
        /// Size of one sector in bytes.
        sector_size: u32,
    },
}

/// The one segment of a volume that this program can open and change.
///
/// # Errors
/// The first thing that is in the way.
pub fn supported(metadata: &Metadata) -> Result<(&Segment, &CryptSegment), Unsupported> {
    requirements(metadata)?;
    no_reencryption(metadata)?;
    for (&id, segment) in &metadata.segments {
        supported_segment(id, segment)?;
    }
    match metadata.segments.values().collect::<Vec<_>>()[..] {
        [segment @ Segment { kind: SegmentKind::Crypt(crypt), .. }] => Ok((segment, crypt)),
        ref segments => Err(Unsupported::SegmentCount(segments.len())),
    }
}

/// Where the ciphertext lies on a data device of `device` bytes.
///
/// # Errors
/// When the volume is not supported or the device does not fit the segment.
pub fn data_segment(metadata: &Metadata, device: u64) -> Result<DataSegment, Unsupported> {
    let (segment, crypt) = supported(metadata)?;
    let (offset, sector_size) = (segment.offset, crypt.sector_size.bytes());
    let too_short = |needed| Unsupported::DeviceTooShort { needed, device };
    let len = match segment.size {
        SegmentSize::Fixed(len) => len,
        SegmentSize::Dynamic => device.saturating_sub(offset),
    };
    let needed = offset.saturating_add(len.max(sector_size.into()));
    if needed > device {
        return Err(too_short(needed));
    }
    if !len.is_multiple_of(sector_size.into()) {
        return Err(Unsupported::OddLength { len, sector_size });
    }
    Ok(DataSegment { offset, len: ByteLen(len), sector_size: crypt.sector_size, iv_tweak: crypt.iv_tweak })
}

fn requirements(metadata: &Metadata) -> Result<(), Unsupported> {
    let Some(name) = metadata.config.mandatory.first() else {
        return Ok(());
    };
    // offline-reencrypt, online-reencrypt, online-reencrypt-v2 and later
    let reencryption = metadata.config.mandatory.iter().find(|name| is_reencryption(name));
    Err(match reencryption {
        Some(name) => Unsupported::Reencryption(format!("requirement {name}")),
        None => Unsupported::Requirement(name.clone()),
    })
}

fn is_reencryption(requirement: &str) -> bool {
    requirement.starts_with("online-reencrypt") || requirement.starts_with("offline-reencrypt")
}

fn no_reencryption(metadata: &Metadata) -> Result<(), Unsupported> {
    for (id, slot) in &metadata.keyslots {
        if matches!(&slot.kind, KeyslotKind::Other(kind) if kind == "reencrypt") {
            return Err(Unsupported::Reencryption(format!("keyslot {id}")));
        }
    }
    for (id, segment) in &metadata.segments {
        let marks = ["backup-", "in-reencryption"];
        if let Some(flag) = segment.flags.iter().find(|flag| marks.iter().any(|mark| flag.starts_with(mark))) {
            return Err(Unsupported::Reencryption(format!("segment {id} is marked {flag}")));
        }
    }
    Ok(())
}

fn supported_segment(id: u32, segment: &Segment) -> Result<(), Unsupported> {
    let kind = match &segment.kind {
        SegmentKind::Crypt(crypt) if crypt.integrity.is_some() => return Err(Unsupported::Integrity(id)),
        SegmentKind::Crypt(crypt) if crypt.encryption != CIPHER => {
            return Err(Unsupported::Cipher { segment: id, encryption: crypt.encryption.clone() });
        }
        SegmentKind::Crypt(_) => return Ok(()),
        SegmentKind::Linear => "linear",
        SegmentKind::Other(kind) => kind,
    };
    Err(Unsupported::SegmentType { segment: id, kind: kind.to_owned() })
}
