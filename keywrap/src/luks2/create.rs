//! A first header on a medium that has none: until the very last sector is written, nothing looks like a volume.

use super::binary::{CopyId, HeaderSize};
use super::header::CheckedHeader;
use super::lock::Locked;
use super::store::{Store, StoreError, encode, io_error, write_durably};
use super::supported::supported;
use crate::medium::Medium;

/// The unit that a medium writes whole or not at all, in bytes. It holds all the fields of a binary header.
const SECTOR: usize = 512;

/// Writes a volume's first header. Whatever the medium held before is gone: old headers at any legal place first, so
/// that they are never taken for this volume's second copy. Then the keyslot areas (`offset`, bytes), then both copies
/// without the sector that holds their magic, and at last the primary's and the secondary's first sector.
///
/// A cut leaves no magic at all or a whole volume.
///
/// # Errors
/// When the header is not legal (nothing is written then), or when the medium fails or is too short.
pub fn create<'m>(
    medium: &'m dyn Medium,
    header: &CheckedHeader,
    areas: &[(u64, &[u8])],
) -> Result<Store<'m>, StoreError> {
    supported(&header.metadata)?;
    let primary = (CopyId::Primary, encode(header, CopyId::Primary)?);
    let secondary = (CopyId::Secondary, encode(header, CopyId::Secondary)?);
    let copies = [primary, secondary];
    let _lock = Locked::take(medium)?;
    forget_headers(medium)?;
    for (offset, bytes) in areas {
        write_durably(medium, "keyslot area", *offset, bytes)?;
    }
    for (id, bytes) in &copies {
        let (_, body) = bytes.split_at(SECTOR);
        write_durably(medium, "header body", id.offset(header.size) + SECTOR as u64, body)?;
    }
    for (id, bytes) in &copies {
        let (head, _) = bytes.split_at(SECTOR);
        write_durably(medium, "header", id.offset(header.size), head)?;
    }
    Store::open(medium)
}

/// Zeroes the first sector of every place where a header could begin, and syncs.
///
/// # Errors
/// When the medium fails.
pub fn forget_headers(medium: &dyn Medium) -> Result<(), StoreError> {
    let len = medium.len().map_err(io_error("measuring", "medium", 0))?;
    let secondaries = HeaderSize::ALL.into_iter().map(HeaderSize::bytes);
    // The secondaries go first: with the primary alone gone, a volume would still be found.
    for offset in secondaries.chain([0]).filter(|offset| offset + SECTOR as u64 <= len) {
        medium.write_all_at(&[0; SECTOR], offset).map_err(io_error("clearing", "old header", offset))?;
    }
    medium.sync().map_err(io_error("syncing", "cleared headers", 0))
}
