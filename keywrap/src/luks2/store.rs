//! The header on its medium: which writes, in which order, with a sync after each.
//!
//! ```text
//! open ──> Store ── write_area ──> sync ──┐
//!            └───── commit ──> [repair] ──┴──> primary ──> sync ──> secondary ──> sync
//! ```
//! A cut at any point leaves the old header or the new one in force, and every keyslot area that the header in force
//! points at is whole. `docs/format/header-writes.md` goes through the cases.

use std::io;
use std::ops::Range;

use super::binary::{CopyId, SALT_LEN};
use super::header::CheckedHeader;
use super::json::{Area, BadMetadata, Metadata};
use super::lock::Locked;
use super::select::{Copies, Refusal, Row};
use super::supported::{Unsupported, supported};
use super::wipe;
use crate::medium::Medium;

/// Why a header could not be opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The two copies hold no header that can be used.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The volume is legal, but not one that this program opens.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// The new metadata would not be readable; nothing was written.
    #[error("the header was not changed: {0}")]
    BadMetadata(#[from] BadMetadata),
    /// The sequence number cannot grow any more; nothing was written.
    #[error("the header was not changed: its sequence number is at its end")]
    SeqidExhausted,
    /// The primary's place holds something that is not a LUKS header; nothing was written.
    #[error(
        "the primary header at byte 0 was overwritten by something else; check what lives there, then ask for a repair"
    )]
    PrimaryOverwritten,
    /// The bytes belong to a keyslot that is in force; nothing was written.
    #[error("bytes {0:?} are the area of keyslot {1}, which is in use")]
    AreaInUse(Range<u64>, u32),
    /// The bytes are not in the space for keyslots; nothing was written.
    #[error("bytes {0:?} are outside the space for keyslots")]
    AreaOutside(Range<u64>),
    /// Another program holds the lock; nothing was written.
    #[error("the header is being changed by another program; try again when it is done")]
    InUse,
    /// Another program changed the header between reading and writing; nothing was written.
    #[error("the header was changed by another program meanwhile; try again")]
    ChangedMeanwhile,
    /// An earlier write or sync failed; what the medium holds is unknown until it is opened again.
    #[error("an earlier write to this header failed; open the volume again")]
    Latched,
    /// The operating system gave no randomness; nothing was written.
    #[error("the operating system gave no randomness for a header salt")]
    NoRandomness,
    /// The medium failed.
    #[error("{action} of the {what} at byte {offset} failed: {source}")]
    Io {
        /// Reading, writing, syncing or reading back.
        action: &'static str,
        /// What lies there.
        what: &'static str,
        /// Where.
        offset: u64,
        /// The medium's error.
        source: io::Error,
    },
}

/// An open header. After a failed write or sync it refuses every further change ([`StoreError::Latched`]).
pub struct Store<'m> {
    medium: &'m dyn Medium,
    header: CheckedHeader,
    row: Row,
    latched: bool,
    lock: Option<Locked<'m>>,
}

impl<'m> Store<'m> {
    /// Reads both copies and decides which is in force. Nothing is written.
    ///
    /// # Errors
    /// When no copy can be used, or the volume is one that this program does not open.
    pub fn open(medium: &'m dyn Medium) -> Result<Self, StoreError> {
        let (header, row) = Copies::read(medium).choose()?;
        supported(&header.metadata)?;
        Ok(Self { medium, header, row, latched: false, lock: None })
    }

    /// The header in force.
    #[must_use]
    pub const fn header(&self) -> &CheckedHeader {
        &self.header
    }

    /// The row of the recovery table that chose it; [`Row::Twins`] after the first change or repair.
    #[must_use]
    pub const fn row(&self) -> Row {
        self.row
    }

    /// The encrypted bytes of a keyslot's area.
    ///
    /// # Errors
    /// The medium's own error, or its end.
    pub fn read_area(&self, area: &Area) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; usize::try_from(area.size).unwrap_or_default()];
        let read = self.medium.read_exact_at(&mut bytes, area.offset);
        read.map_err(io_error("reading", "keyslot area", area.offset))?;
        Ok(bytes)
    }

    /// Writes the encrypted bytes of a keyslot that is about to be added, and syncs: the header must never point at
    /// an area that is not durable.
    ///
    /// # Errors
    /// When the bytes would fall on a keyslot in force or outside the space for keyslots, or when the medium fails.
    pub fn write_area(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let range = offset..offset.saturating_add(bytes.len() as u64);
        self.check_free(&range)?;
        self.make_whole()?;
        self.write("keyslot area", offset, bytes)
    }

    /// Overwrites the area of keyslot `slot` with random bytes, syncs and reads back. Done before the keyslot leaves
    /// the header, so that a cut never leaves key material where nobody would look for it again.
    ///
    /// # Errors
    /// When the medium fails.
    pub fn wipe_area(&mut self, slot: u32) -> Result<(), StoreError> {
        self.make_whole()?;
        let Some(area) = self.header.metadata.keyslots.get(&slot).map(|slot| &slot.area) else {
            return Ok(());
        };
        let range = area.offset..area.offset + area.size;
        let wiped = wipe::overwrite(self.medium, range.clone());
        self.latch(wiped.map(drop).map_err(io_error("wiping", "keyslot area", range.start)))
    }

    /// Makes `metadata` the one in force, with the next sequence number: primary, sync, secondary, sync. A stale or
    /// damaged copy is repaired first, so that one valid copy exists at every moment.
    ///
    /// # Errors
    /// When the metadata is not legal or does not fit (nothing is written then), or when the medium fails (the old
    /// or the new header is in force then, and this store is latched).
    pub fn commit(&mut self, metadata: Metadata) -> Result<(), StoreError> {
        self.replace(CheckedHeader { metadata, ..self.header.clone() })
    }

    /// As [`Self::commit`], for a change of label or subsystem too. The sequence number given is ignored.
    ///
    /// # Errors
    /// Those of [`Self::commit`].
    pub fn replace(&mut self, mut next: CheckedHeader) -> Result<(), StoreError> {
        supported(&next.metadata)?;
        next.seqid = self.header.seqid.max(next.seqid).checked_add(1).ok_or(StoreError::SeqidExhausted)?;
        let primary = encode(&next, CopyId::Primary)?;
        let secondary = encode(&next, CopyId::Secondary)?;
        self.make_whole()?;
        self.write("primary header", CopyId::Primary.offset(next.size), &primary)?;
        self.write("secondary header", CopyId::Secondary.offset(next.size), &secondary)?;
        self.header = next;
        Ok(())
    }

    /// Writes the copy that is not in force again, even where the primary's place holds something else
    /// ([`Row::PrimaryOverwritten`]).
    ///
    /// # Errors
    /// When the medium fails.
    pub fn repair(&mut self) -> Result<(), StoreError> {
        self.lock()?;
        if let Some(id) = self.row.repair() {
            let bytes = encode(&self.header, id)?;
            self.write("damaged header", id.offset(self.header.size), &bytes)?;
            self.row = Row::Twins;
        }
        Ok(())
    }

    fn make_whole(&mut self) -> Result<(), StoreError> {
        if self.latched {
            return Err(StoreError::Latched);
        }
        if !self.row.repairs_itself() {
            return Err(StoreError::PrimaryOverwritten);
        }
        self.repair()
    }

    /// Takes the lock for the rest of this store's life, and makes sure that what was read is still what is there, and
    /// durable: a process that was killed between a write and its sync leaves a header that only the operating system has.
    fn lock(&mut self) -> Result<(), StoreError> {
        if self.lock.is_none() {
            let lock = Locked::take(self.medium)?;
            self.medium.sync().map_err(io_error("syncing", "header", 0))?;
            if Copies::read(self.medium).choose()?.0 != self.header {
                return Err(StoreError::ChangedMeanwhile);
            }
            self.lock = Some(lock);
        }
        Ok(())
    }

    pub(super) fn check_free(&self, range: &Range<u64>) -> Result<(), StoreError> {
        let CheckedHeader { size, metadata, .. } = &self.header;
        let space = size.both_copies()..size.both_copies() + metadata.config.keyslots_size;
        if range.start < space.start || range.end > space.end {
            return Err(StoreError::AreaOutside(range.clone()));
        }
        let overlaps = |area: &Area| range.start < area.offset + area.size && area.offset < range.end;
        match metadata.keyslots.iter().find(|(_, slot)| overlaps(&slot.area)) {
            Some((&slot, _)) => Err(StoreError::AreaInUse(range.clone(), slot)),
            None => Ok(()),
        }
    }

    /// Writes, syncs and reads back.
    fn write(&mut self, what: &'static str, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        if self.latched {
            return Err(StoreError::Latched);
        }
        let written = write_durably(self.medium, what, offset, bytes);
        self.latch(written)
    }

    fn latch<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        self.latched |= result.is_err();
        result
    }
}

/// Writes, syncs and reads back `bytes`; `what` names them in errors.
pub(super) fn write_durably(
    medium: &dyn Medium,
    what: &'static str,
    offset: u64,
    bytes: &[u8],
) -> Result<(), StoreError> {
    medium.write_durably_at(bytes, offset).map_err(io_error("writing", what, offset))?;
    let mut found = vec![0; bytes.len()];
    medium.read_back_at(&mut found, offset).map_err(io_error("reading back", what, offset))?;
    if found != bytes {
        let differs = io::Error::new(io::ErrorKind::InvalidData, "the bytes differ from those written");
        return Err(io_error("reading back", what, offset)(differs));
    }
    Ok(())
}

/// The bytes of one copy under a fresh salt.
pub(super) fn encode(header: &CheckedHeader, id: CopyId) -> Result<Vec<u8>, StoreError> {
    let mut salt = [0; SALT_LEN];
    getrandom::fill(&mut salt).map_err(|_| StoreError::NoRandomness)?;
    Ok(header.encode(id, &salt)?)
}

pub(super) fn io_error(action: &'static str, what: &'static str, offset: u64) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::Io { action, what, offset, source }
}
