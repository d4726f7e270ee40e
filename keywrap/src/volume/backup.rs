//! Header backup and restore, in the format of `cryptsetup luksHeaderBackup`: both copies and the space for keyslots,
//! from byte 0, nothing else. Each program restores the other's backups.

use std::io::Write;

use super::error::VolumeError;
use crate::geometry::ByteLen;
use crate::luks2::binary::CopyId;
use crate::luks2::create::create as write_first;
use crate::luks2::header::CheckedHeader;
use crate::luks2::json::Segment;
use crate::luks2::select::Copies;
use crate::luks2::store::Store;
use crate::luks2::supported::data_segment;
use crate::medium::Medium;

/// How much is copied at once, in bytes.
const CHUNK: u64 = 1 << 20;

/// Writes a backup of the header in force to `out`, twice if one of the copies is stale or damaged. Returns its length.
///
/// Whoever has the backup can open the volume with every key and passphrase that opens it now, also after they were
/// removed from the volume.
///
/// # Errors
/// Those of reading the header, and `out`'s own.
pub fn backup_header(header: &dyn Medium, out: &mut dyn Write) -> Result<ByteLen, VolumeError> {
    let store = Store::open(header)?;
    let checked = store.header();
    let failed = || VolumeError::io("writing the backup");
    for copy in [CopyId::Primary, CopyId::Secondary] {
        let mut salt = [0; crate::luks2::binary::SALT_LEN];
        getrandom::fill(&mut salt)?;
        out.write_all(&checked.encode(copy, &salt)?).map_err(failed())?;
    }
    let end = end(checked);
    let mut offset = checked.size.both_copies();
    while offset < end {
        let piece = read(header, offset, CHUNK.min(end - offset))?;
        out.write_all(&piece).map_err(failed())?;
        offset += piece.len() as u64;
    }
    out.flush().map_err(failed())?;
    Ok(ByteLen(end))
}

/// Puts a backup back onto its medium. `data_len` is the length in bytes of the device that holds the data.
///
/// Without `force` the medium must hold a header of the same volume with the same layout. With it, whatever is there is
/// overwritten: needed when the header was destroyed. Keyslots that were removed after the backup come back.
///
/// Where the backup's keyslots lie beside those in force, as after a rekey, a cut leaves the old header or the new one.
/// With `force`, or where they overlap, a cut leaves nothing that looks like a volume: restore again, with `force`.
///
/// # Errors
/// [`VolumeError::RestoreRefused`] with the reason; a backup that is damaged, cut short or unsupported; a medium that is
/// too small for it; and those of writing the header.
pub fn restore_header(backup: &dyn Medium, header: &dyn Medium, data_len: u64, force: bool) -> Result<(), VolumeError> {
    let saved = Store::open(backup)?.header().clone();
    data_segment(&saved.metadata, data_len)?;
    let len = header.len().map_err(VolumeError::io("measuring the header medium"))?;
    let saved_len = backup.len().map_err(VolumeError::io("measuring the backup"))?;
    for (what, value) in [("the header medium's length", len), ("the backup's length", saved_len)] {
        if value < end(&saved) {
            let rule = format!("this header needs {} bytes", end(&saved));
            return Err(VolumeError::Invalid { what, value, rule });
        }
    }
    if !force {
        same_volume(&saved, header)?;
    }
    let start = saved.size.both_copies();
    let areas = read(backup, start, saved.metadata.config.keyslots_size)?;
    if !force && Store::open(header)?.restore(&saved, &areas)? {
        return Ok(());
    }
    write_first(header, &saved, &[(start, &areas)])?;
    Ok(())
}

/// Whether the medium holds a header of the same volume with the same layout.
fn same_volume(saved: &CheckedHeader, header: &dyn Medium) -> Result<(), VolumeError> {
    let refuse = |reason: String| Err(VolumeError::RestoreRefused(reason));
    let present = match Copies::read(header).choose() {
        Ok((present, _)) => present,
        Err(reason) => return refuse(format!("there is no header to compare the backup with ({reason})")),
    };
    if present.uuid != saved.uuid {
        return refuse(format!("the backup is of volume {}, the device holds {}", saved.uuid, present.uuid));
    }
    let offset = |header: &CheckedHeader| header.metadata.segments.get(&0).map(|Segment { offset, .. }| *offset);
    if offset(&present) != offset(saved) || end(&present) != end(saved) {
        return refuse("the backup has another data offset or header length than the device".to_owned());
    }
    Ok(())
}

/// Where the space for keyslots ends: the length of a backup.
fn end(header: &CheckedHeader) -> u64 {
    header.size.both_copies() + header.metadata.config.keyslots_size
}

fn read(medium: &dyn Medium, offset: u64, len: u64) -> Result<Vec<u8>, VolumeError> {
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    medium.read_exact_at(&mut bytes, offset).map_err(VolumeError::io("reading the keyslot areas"))?;
    Ok(bytes)
}
