//! Crypto-erase: the data key is destroyed everywhere on the medium, and the data with it.
//!
//! What this can and cannot promise, above all on flash memory, is in `docs/format/erase.md`.

use serde::Serialize;

use super::error::VolumeError;
use crate::luks2::lock::Locked;
use crate::luks2::select::Copies;
use crate::luks2::wipe;
use crate::medium::Medium;

/// What was destroyed and how that was verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErasureReport {
    /// The UUID of the volume that was.
    pub uuid: String,
    /// How many keyslots the header in force listed.
    pub keyslots: usize,
    /// What was overwritten, in this order. Each was synced and read back before the next.
    pub ranges: Vec<ErasedRange>,
    /// Whether every range was read back from the device itself (direct I/O). If not, some of what was compared may have
    /// come from the operating system's cache.
    pub read_from_device: bool,
    /// Whether reading the medium as a volume was refused afterwards.
    pub no_header_found: bool,
}

/// A piece of the medium that now holds random bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErasedRange {
    /// What lay there.
    pub what: &'static str,
    /// First byte.
    pub offset: u64,
    /// Length in bytes.
    pub len: u64,
}

/// Overwrites the whole space for keyslots, used or not, and then both headers with random bytes; syncs and reads back
/// after each. The keyslots go first: once they are gone so is the data, whatever happens to the rest. With an attached
/// header the data itself is left as it is, unreadable.
///
/// A volume that Sear would not open can be erased too, as long as one copy of its header is valid. A cut leaves a
/// header without keys or nothing; erase again.
///
/// # Errors
/// When neither header copy is valid, or when the medium fails or reads back something else than was written.
pub fn erase(header: &dyn Medium) -> Result<ErasureReport, VolumeError> {
    let _lock = Locked::take(header)?;
    let (present, _) = Copies::read(header).choose()?;
    let (copies, space) = (present.size.both_copies(), present.metadata.config.keyslots_size);
    let len = header.len().map_err(VolumeError::io("measuring the header medium"))?;
    let keyslots = ErasedRange { what: "keyslot areas", offset: copies, len: space.min(len.saturating_sub(copies)) };
    let headers = ErasedRange { what: "both headers", offset: 0, len: copies.min(len) };
    let mut report = ErasureReport {
        uuid: present.uuid.to_string(),
        keyslots: present.metadata.keyslots.len(),
        ranges: Vec::new(),
        read_from_device: true,
        no_header_found: false,
    };
    for range in [keyslots, headers] {
        let bytes = range.offset..range.offset + range.len;
        report.read_from_device &= wipe::overwrite(header, bytes).map_err(VolumeError::io("overwriting"))?;
        report.ranges.push(range);
    }
    report.no_header_found = Copies::read(header).choose().is_err();
    Ok(report)
}
