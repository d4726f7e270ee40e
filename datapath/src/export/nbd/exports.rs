//! What the server offers: disks by name.

use std::collections::HashSet;
use std::sync::Arc;

use super::wire::{self, transmission_flag as flag};
use crate::disk::Geometry;
use crate::volume::Volume;

/// The longest request payload, in bytes: the one that every client may use without asking ("Size constraints").
pub const MAX_PAYLOAD: u32 = crate::limits::MAX_TRANSFER;

/// A disk, as it is offered to clients.
#[derive(Clone)]
pub struct Export {
    /// The name clients ask for.
    pub name: String,
    /// A line for people, shown by `nbdinfo --list`; may be empty.
    pub description: String,
    /// The volume behind it. If it is strict about alignment, its sector size is advertised as the minimum block size,
    /// and requests that are not aligned to it are refused with `EINVAL`.
    pub volume: Arc<Volume>,
}

impl Export {
    /// The transmission flags of this export; `structured` says whether structured replies were negotiated.
    pub(crate) fn transmission_flags(&self, structured: bool) -> u16 {
        let Geometry { read_only, discards, .. } = self.volume.geometry();
        let mut flags = flag::HAS_FLAGS | flag::SEND_FLUSH | flag::SEND_FUA | flag::CAN_MULTI_CONN | flag::SEND_CACHE;
        if read_only {
            flags |= flag::READ_ONLY;
        } else {
            flags |= flag::SEND_WRITE_ZEROES | flag::SEND_FAST_ZERO;
        }
        if discards && !read_only {
            flags |= flag::SEND_TRIM;
        }
        if structured {
            flags |= flag::SEND_DF;
        }
        flags
    }

    /// Minimum block size, preferred block size and maximum payload, in bytes (`NBD_INFO_BLOCK_SIZE`).
    pub(crate) fn block_sizes(&self) -> [u32; 3] {
        let sector = self.volume.geometry().sector_size.bytes();
        let minimum = if self.volume.is_strict() { sector } else { 1 };
        [minimum, sector.max(4096), MAX_PAYLOAD]
    }
}

/// The exports of a server: at least one, names legal and distinct.
#[derive(Clone)]
pub struct Exports(Arc<[Export]>);

impl Exports {
    /// Takes the exports; the first is also what a client gets that asks for the empty name, unless one is named so.
    ///
    /// # Errors
    /// When there is none, a name is used twice, or a name or description is not a legal string of the protocol (at
    /// most 4096 bytes, no NUL).
    pub fn new(exports: Vec<Export>) -> Result<Self, BadExport> {
        if exports.is_empty() {
            return Err(BadExport::None);
        }
        let mut seen = HashSet::new();
        for export in &exports {
            for text in [&export.name, &export.description] {
                wire::legal_string(text.as_bytes()).ok_or_else(|| BadExport::Text(text.escape_debug().to_string()))?;
            }
            if !seen.insert(&export.name) {
                return Err(BadExport::Twice(export.name.clone()));
            }
        }
        Ok(Self(exports.into()))
    }

    /// Every export, in the order given.
    pub fn iter(&self) -> std::slice::Iter<'_, Export> {
        self.0.iter()
    }

    /// The position of the export that a client means by `name`.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let exact = self.0.iter().position(|export| export.name == name);
        if name.is_empty() { exact.or(Some(0)) } else { exact }
    }

    /// The export at a position that [`Exports::find`] answered.
    pub(crate) fn get(&self, index: usize) -> &Export {
        &self.0[index]
    }
}

impl<'a> IntoIterator for &'a Exports {
    type Item = &'a Export;
    type IntoIter = std::slice::Iter<'a, Export>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Why exports cannot be offered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadExport {
    /// Nothing to offer.
    #[error("no export was given; a server needs at least one")]
    None,
    /// Two exports cannot be told apart.
    #[error("the export name '{0}' is used twice; choose another")]
    Twice(String),
    /// A string the protocol does not allow.
    #[error("the export name or description '{0}' is longer than 4096 bytes or has a NUL in it")]
    Text(String),
}
