//! What a header says, without any key. Nothing here is secret, and nothing is written.

use serde::Serialize;

use super::error::VolumeError;
use super::recipe::is_usable;
use crate::keys::KeyId;
use crate::luks2::binary::CopyId;
use crate::luks2::header::CheckedHeader;
use crate::luks2::json::{Digest, DigestKind, KdfKind, Keyslot, KeyslotKind, Segment, SegmentKind, SegmentSize};
use crate::luks2::select::{Copies, Copy};
use crate::luks2::supported::supported;
use crate::luks2::token::{SearToken, TYPE};
use crate::medium::Medium;

/// A header, for people and for `--json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// The volume's UUID as stored.
    pub uuid: String,
    /// Label; empty when there is none.
    pub label: String,
    /// Subsystem label; empty when there is none.
    pub subsystem: String,
    /// Sequence number of the copy in force.
    pub seqid: u64,
    /// Size of one copy of the metadata in bytes.
    pub header_size: u64,
    /// Length of the space for keyslot areas in bytes.
    pub keyslots_size: u64,
    /// `primary` or `secondary`.
    pub copy_in_force: &'static str,
    /// `valid`, or what is wrong with it.
    pub primary: String,
    /// `valid`, or what is wrong with it.
    pub secondary: String,
    /// Persistent activation flags, such as `allow-discards`.
    pub flags: Vec<String>,
    /// Mandatory requirements.
    pub requirements: Vec<String>,
    /// Why Sear would not open the volume, if so.
    pub unsupported: Option<String>,
    /// Data segments.
    pub segments: Vec<SegmentInfo>,
    /// Keyslots.
    pub keyslots: Vec<KeyslotInfo>,
    /// Tokens.
    pub tokens: Vec<TokenInfo>,
    /// Digests.
    pub digests: Vec<DigestInfo>,
}

/// A data segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SegmentInfo {
    /// Its number.
    pub id: u32,
    /// `crypt`, `linear` or another type.
    pub kind: String,
    /// First byte on the data device.
    pub offset: u64,
    /// Length in bytes; absent when it reaches to the end of the device.
    pub size: Option<u64>,
    /// The cipher in dm-crypt's notation, of a segment of type `crypt`.
    pub encryption: Option<String>,
    /// Size of a data unit in bytes, of a segment of type `crypt`.
    pub sector_size: Option<u32>,
}

/// A keyslot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyslotInfo {
    /// Its number.
    pub id: u32,
    /// `luks2` or another type.
    pub kind: String,
    /// Length of the stored key in bytes.
    pub key_size: u32,
    /// 0: ignored unless asked for; 1: normal; 2: tried first.
    pub priority: u32,
    /// Function and cost, such as `pbkdf2-sha256, 1000 iterations`.
    pub kdf: Option<String>,
    /// First byte of its area on the header device.
    pub area_offset: u64,
    /// Length of its area in bytes.
    pub area_size: u64,
    /// Whether Sear could open it, given its key.
    pub usable: bool,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenInfo {
    /// Its number.
    pub id: u32,
    /// `sear` or another type.
    pub kind: String,
    /// The keyslots it opens.
    pub keyslots: Vec<u32>,
    /// The master key, of a token of type `sear`.
    pub key_id: Option<KeyId>,
    /// What is wrong with a token of type `sear`.
    pub problem: Option<String>,
}

/// A digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DigestInfo {
    /// Its number.
    pub id: u32,
    /// Function and cost, such as `pbkdf2-sha256, 1000 iterations`.
    pub kind: String,
    /// The keyslots that hold its key.
    pub keyslots: Vec<u32>,
    /// The segments encrypted with its key.
    pub segments: Vec<u32>,
}

/// Reads a header without any key, also one that Sear would not open.
///
/// # Errors
/// When neither copy is valid.
pub fn inspect(header: &dyn Medium) -> Result<Inspection, VolumeError> {
    let copies = Copies::read(header);
    let (primary, secondary) = (state(&copies.primary), state(&copies.secondary));
    let (header, row) = copies.choose()?;
    let CheckedHeader { size, seqid, label, subsystem, uuid, metadata } = &header;
    Ok(Inspection {
        uuid: uuid.to_string(),
        label: label.text().into_owned(),
        subsystem: subsystem.text().into_owned(),
        seqid: *seqid,
        header_size: size.bytes(),
        keyslots_size: metadata.config.keyslots_size,
        copy_in_force: if row.winner() == CopyId::Primary { "primary" } else { "secondary" },
        primary,
        secondary,
        flags: metadata.config.flags.clone(),
        requirements: metadata.config.mandatory.clone(),
        unsupported: supported(metadata).err().map(|reason| reason.to_string()),
        segments: metadata.segments.iter().map(|(&id, segment)| segment_info(id, segment)).collect(),
        keyslots: metadata.keyslots.iter().map(|(&id, slot)| keyslot_info(id, slot, &header)).collect(),
        tokens: token_infos(&header),
        digests: metadata.digests.iter().map(|(&id, digest)| digest_info(id, digest)).collect(),
    })
}

/// The master keys that a volume's tokens name, in the order of the tokens.
///
/// # Errors
/// When neither copy of the header is valid, or a token of type `sear` cannot be read.
pub fn key_ids(header: &dyn Medium) -> Result<Vec<KeyId>, VolumeError> {
    let (header, _) = Copies::read(header).choose()?;
    let tokens = SearToken::all(&header.metadata);
    tokens.map(|(_, token)| Ok(token?.key_id)).collect()
}

fn state(copy: &Copy) -> String {
    match copy {
        Ok(header) => format!("valid, sequence number {}", header.seqid),
        Err(bad) => bad.to_string(),
    }
}

fn segment_info(id: u32, segment: &Segment) -> SegmentInfo {
    let (kind, crypt) = match &segment.kind {
        SegmentKind::Crypt(crypt) => ("crypt", Some(crypt)),
        SegmentKind::Linear => ("linear", None),
        SegmentKind::Other(kind) => (kind.as_str(), None),
    };
    let size = match segment.size {
        SegmentSize::Dynamic => None,
        SegmentSize::Fixed(size) => Some(size),
    };
    SegmentInfo {
        id,
        kind: kind.to_owned(),
        offset: segment.offset,
        size,
        encryption: crypt.map(|crypt| crypt.encryption.clone()),
        sector_size: crypt.map(|crypt| crypt.sector_size.bytes()),
    }
}

fn keyslot_info(id: u32, slot: &Keyslot, header: &CheckedHeader) -> KeyslotInfo {
    let (kind, kdf) = match &slot.kind {
        KeyslotKind::Luks2(luks2) => ("luks2", Some(kdf_text(&luks2.kdf.kind))),
        KeyslotKind::Other(kind) => (kind.as_str(), None),
    };
    KeyslotInfo {
        id,
        kind: kind.to_owned(),
        key_size: slot.key_size,
        priority: slot.priority.unwrap_or(1),
        kdf,
        area_offset: slot.area.offset,
        area_size: slot.area.size,
        usable: is_usable(id, slot, &header.metadata),
    }
}

fn kdf_text(kdf: &KdfKind) -> String {
    let argon2 = |name, time, memory, cpus| format!("{name}, {time} passes, {memory} KiB, {cpus} lanes");
    match kdf {
        KdfKind::Pbkdf2 { hash, iterations } => format!("pbkdf2-{hash}, {iterations} iterations"),
        KdfKind::Argon2i { time, memory, cpus } => argon2("argon2i", time, memory, cpus),
        KdfKind::Argon2id { time, memory, cpus } => argon2("argon2id", time, memory, cpus),
    }
}

fn token_infos(header: &CheckedHeader) -> Vec<TokenInfo> {
    let mut tokens: Vec<_> = header
        .metadata
        .tokens
        .iter()
        .map(|(&id, token)| TokenInfo {
            id,
            kind: token.kind.clone(),
            keyslots: token.keyslots.clone(),
            key_id: None,
            problem: None,
        })
        .collect();
    for (id, ours) in SearToken::all(&header.metadata) {
        if let Some(info) = tokens.iter_mut().find(|info| info.id == id) {
            info.key_id = ours.as_ref().ok().map(|token| token.key_id);
            info.problem = ours.err().map(|bad| bad.to_string());
        }
    }
    for info in tokens.iter_mut().filter(|info| info.kind == TYPE && info.keyslots.is_empty()) {
        info.problem = Some("its keyslot was removed by another program; it opens nothing".to_owned());
    }
    tokens
}

fn digest_info(id: u32, digest: &Digest) -> DigestInfo {
    let kind = match &digest.kind {
        DigestKind::Pbkdf2(pbkdf2) => format!("pbkdf2-{}, {} iterations", pbkdf2.hash, pbkdf2.iterations),
        DigestKind::Other(kind) => kind.clone(),
    };
    DigestInfo { id, kind, keyslots: digest.keyslots.clone(), segments: digest.segments.clone() }
}
