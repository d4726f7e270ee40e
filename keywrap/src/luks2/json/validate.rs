//! Rules that hold between fields, and limits on values (LUKS2 spec, section 3; limits as in cryptsetup).

use std::ops::Range;

use super::{
    Area, BadMetadata, CryptSegment, DigestKind, KdfKind, Keyslot, KeyslotKind, Luks2Keyslot, Metadata, Problem,
    Segment, SegmentKind, SegmentSize,
};
use crate::luks2::binary::HeaderSize;

/// Alignment of keyslot areas and of the space for them, in bytes.
pub const AREA_ALIGN: u64 = 4096;
/// The largest space for keyslot areas, in bytes (cryptsetup `LUKS2_MAX_KEYSLOTS_SIZE`).
pub const MAX_KEYSLOTS_SIZE: u64 = 128 << 20;

/// The longest key that a keyslot may hold, in bytes.
const MAX_KEY_SIZE: u64 = 512;
/// The longest salt or digest, in bytes.
const MAX_BYTES: usize = 512;
/// The most memory that Argon2 may ask for, in KiB: 4 GiB, cryptsetup's limit.
const MAX_ARGON2_MEMORY: u64 = 4 << 20;
/// The most Argon2 lanes, cryptsetup's limit.
const MAX_ARGON2_CPUS: u64 = 4;
/// Keyslot priorities (spec, section 3.2).
const MAX_PRIORITY: u64 = 2;

pub(super) fn validate(metadata: &Metadata, size: HeaderSize) -> Result<(), BadMetadata> {
    config(metadata, size)?;
    for (id, slot) in &metadata.keyslots {
        keyslot(&format!("keyslots.{id}"), slot)?;
    }
    areas(metadata, size)?;
    segments(metadata)?;
    digests(metadata)?;
    tokens(metadata)
}

fn config(metadata: &Metadata, size: HeaderSize) -> Result<(), BadMetadata> {
    let config = &metadata.config;
    let (stated, actual) = (config.json_size, size.json_bytes());
    require(stated == actual, "config.json_size", || Problem::JsonSize { stated, actual })?;
    let path = "config.keyslots_size";
    range(path, config.keyslots_size, 0..MAX_KEYSLOTS_SIZE + 1)?;
    aligned(path, config.keyslots_size, AREA_ALIGN)?;
    let end = size.both_copies() + config.keyslots_size;
    // Offset 0 is a detached header: the data begins at the start of another device.
    let data = metadata.segments.values().map(|segment| segment.offset).filter(|&offset| offset != 0).min();
    let data = data.unwrap_or(u64::MAX);
    require(end <= data, path, || Problem::KeyslotsOverData { end, data })
}

fn keyslot(path: &str, slot: &Keyslot) -> Result<(), BadMetadata> {
    range(&format!("{path}.key_size"), slot.key_size.into(), 1..MAX_KEY_SIZE + 1)?;
    if let Some(priority) = slot.priority {
        range(&format!("{path}.priority"), priority.into(), 0..MAX_PRIORITY + 1)?;
    }
    match &slot.kind {
        KeyslotKind::Luks2(luks2) => luks2_keyslot(path, slot, luks2),
        KeyslotKind::Other(_) => Ok(()),
    }
}

fn luks2_keyslot(path: &str, slot: &Keyslot, luks2: &Luks2Keyslot) -> Result<(), BadMetadata> {
    let kind = &slot.area.kind;
    require(kind == "raw", format!("{path}.area.type"), || Problem::UnknownType { kind: kind.clone() })?;
    range(&format!("{path}.area.key_size"), luks2.area_key_size.into(), 1..MAX_KEY_SIZE + 1)?;
    range(&format!("{path}.af.stripes"), luks2.af.stripes.into(), 1..u64::from(u32::MAX) + 1)?;
    let needed = u64::from(slot.key_size) * u64::from(luks2.af.stripes);
    let size = slot.area.size;
    require(size >= needed, format!("{path}.area.size"), || Problem::AreaTooSmall { size, needed })?;
    byte_count(&format!("{path}.kdf.salt"), &luks2.kdf.salt)?;
    match &luks2.kdf.kind {
        KdfKind::Pbkdf2 { iterations, .. } => positive(&format!("{path}.kdf.iterations"), *iterations),
        KdfKind::Argon2i { time, memory, cpus } | KdfKind::Argon2id { time, memory, cpus } => {
            positive(&format!("{path}.kdf.time"), *time)?;
            range(&format!("{path}.kdf.cpus"), (*cpus).into(), 1..MAX_ARGON2_CPUS + 1)?;
            // RFC 9106, section 3.1: at least 8 KiB for each lane.
            range(&format!("{path}.kdf.memory"), (*memory).into(), 8 * u64::from(*cpus)..MAX_ARGON2_MEMORY + 1)
        }
    }
}

fn areas(metadata: &Metadata, size: HeaderSize) -> Result<(), BadMetadata> {
    let (start, limit) = (size.both_copies(), size.both_copies() + metadata.config.keyslots_size);
    let mut taken: Vec<(u32, Range<u64>)> = Vec::new();
    for (&id, slot) in &metadata.keyslots {
        let path = format!("keyslots.{id}.area");
        let bytes = area_range(&path, &slot.area)?;
        let (offset, end) = (bytes.start, bytes.end);
        require(offset >= start, format!("{path}.offset"), || Problem::AreaInHeaders { offset, end: start })?;
        require(end <= limit, format!("{path}.size"), || Problem::AreaOutside { end, limit })?;
        if let Some((other, _)) = taken.iter().find(|(_, range)| overlap(range, &bytes)) {
            return Err(BadMetadata::new(path, Problem::AreaOverlap { other: *other }));
        }
        taken.push((id, bytes));
    }
    Ok(())
}

fn area_range(path: &str, area: &Area) -> Result<Range<u64>, BadMetadata> {
    range(&format!("{path}.size"), area.size, 1..u64::MAX)?;
    aligned(&format!("{path}.offset"), area.offset, AREA_ALIGN)?;
    aligned(&format!("{path}.size"), area.size, AREA_ALIGN)?;
    let end = area.offset.checked_add(area.size).ok_or_else(|| BadMetadata::new(path, Problem::Overflow))?;
    Ok(area.offset..end)
}

fn segments(metadata: &Metadata) -> Result<(), BadMetadata> {
    let mut taken: Vec<(u32, Range<u64>)> = Vec::new();
    let current = metadata.segments.iter().filter(|(_, segment)| !segment.is_backup());
    for (expected, (&id, segment)) in (0..).zip(current) {
        require(id == expected, "segments", || Problem::SegmentGap { expected })?;
        let path = format!("segments.{id}");
        let bytes = segment_range(&path, segment)?;
        if let Some((other, _)) = taken.iter().find(|(_, range)| overlap(range, &bytes)) {
            return Err(BadMetadata::new(path, Problem::SegmentOverlap { other: *other }));
        }
        taken.push((id, bytes));
    }
    Ok(())
}

fn segment_range(path: &str, segment: &Segment) -> Result<Range<u64>, BadMetadata> {
    let unit = match &segment.kind {
        SegmentKind::Crypt(CryptSegment { sector_size, .. }) => u64::from(sector_size.bytes()),
        SegmentKind::Linear | SegmentKind::Other(_) => 512,
    };
    aligned(&format!("{path}.offset"), segment.offset, 512)?;
    let SegmentSize::Fixed(size) = segment.size else {
        return Ok(segment.offset..u64::MAX);
    };
    range(&format!("{path}.size"), size, 1..u64::MAX)?;
    aligned(&format!("{path}.size"), size, unit)?;
    let end = segment.offset.checked_add(size).ok_or_else(|| BadMetadata::new(path, Problem::Overflow))?;
    Ok(segment.offset..end)
}

fn digests(metadata: &Metadata) -> Result<(), BadMetadata> {
    for (id, digest) in &metadata.digests {
        let path = format!("digests.{id}");
        keyslots_exist(metadata, format!("{path}.keyslots"), &digest.keyslots)?;
        if let Some(missing) = digest.segments.iter().find(|id| !metadata.segments.contains_key(id)) {
            let problem = Problem::NoSuchSegment { id: missing.to_string() };
            return Err(BadMetadata::new(format!("{path}.segments"), problem));
        }
        if let DigestKind::Pbkdf2(pbkdf2) = &digest.kind {
            positive(&format!("{path}.iterations"), pbkdf2.iterations)?;
            byte_count(&format!("{path}.salt"), &pbkdf2.salt)?;
            byte_count(&format!("{path}.digest"), &pbkdf2.digest)?;
        }
    }
    Ok(())
}

fn tokens(metadata: &Metadata) -> Result<(), BadMetadata> {
    for (id, token) in &metadata.tokens {
        keyslots_exist(metadata, format!("tokens.{id}.keyslots"), &token.keyslots)?;
    }
    Ok(())
}

fn keyslots_exist(metadata: &Metadata, path: String, ids: &[u32]) -> Result<(), BadMetadata> {
    match ids.iter().find(|id| !metadata.keyslots.contains_key(id)) {
        Some(missing) => Err(BadMetadata::new(path, Problem::NoSuchKeyslot { id: missing.to_string() })),
        None => Ok(()),
    }
}

fn require(holds: bool, path: impl Into<String>, problem: impl FnOnce() -> Problem) -> Result<(), BadMetadata> {
    if holds { Ok(()) } else { Err(BadMetadata::new(path, problem())) }
}

fn range(path: &str, value: u64, legal: Range<u64>) -> Result<(), BadMetadata> {
    require(legal.contains(&value), path, || Problem::OutOfRange { value, min: legal.start, max: legal.end - 1 })
}

fn positive(path: &str, value: u32) -> Result<(), BadMetadata> {
    range(path, value.into(), 1..u64::from(u32::MAX) + 1)
}

fn aligned(path: &str, value: u64, of: u64) -> Result<(), BadMetadata> {
    require(value.is_multiple_of(of), path, || Problem::Unaligned { value, of })
}

fn byte_count(path: &str, bytes: &[u8]) -> Result<(), BadMetadata> {
    let legal = (1..=MAX_BYTES).contains(&bytes.len());
    require(legal, path, || Problem::ByteCount { len: bytes.len(), max: MAX_BYTES })
}

fn overlap(a: &Range<u64>, b: &Range<u64>) -> bool {
    a.start < b.end && b.start < a.end
}
