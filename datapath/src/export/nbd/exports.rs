//! What the server offers: disks by name.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

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

    /// Whether its strings are legal.
    fn check(&self) -> Result<(), BadExport> {
        for text in [&self.name, &self.description] {
            wire::legal_string(text.as_bytes()).ok_or_else(|| BadExport::Text(text.escape_debug().to_string()))?;
        }
        Ok(())
    }

    /// Minimum block size, preferred block size and maximum payload, in bytes (`NBD_INFO_BLOCK_SIZE`).
    pub(crate) fn block_sizes(&self) -> [u32; 3] {
        let sector = self.volume.geometry().sector_size.bytes();
        let minimum = if self.volume.is_strict() { sector } else { 1 };
        [minimum, sector.max(4096), MAX_PAYLOAD]
    }
}

/// The exports of a server: names legal and distinct. They come and go while it runs; a change makes a new list, so
/// whoever reads holds the lock for as long as it takes to take hold of the list. Clones are the same table.
#[derive(Clone)]
pub struct Exports(Arc<Table>);

struct Table {
    /// What a client gets that asks for the empty name, unless an export is named so.
    default: Option<String>,
    list: RwLock<Arc<[Export]>>,
}

impl Exports {
    /// Takes the exports; the first is also what a client gets that asks for the empty name, unless one is named so.
    /// There may be none: what is added later never takes that place, since a client that names nothing should not
    /// reach a volume by chance.
    ///
    /// # Errors
    /// When a name is used twice, or a name or description is not a legal string of the protocol (at most 4096 bytes, no
    /// NUL).
    pub fn new(exports: Vec<Export>) -> Result<Self, BadExport> {
        let mut seen = HashSet::new();
        for export in &exports {
            export.check()?;
            if !seen.insert(&export.name) {
                return Err(BadExport::Twice(export.name.clone()));
            }
        }
        let default = exports.first().map(|export| export.name.clone());
        Ok(Self(Arc::new(Table { default, list: RwLock::new(exports.into()) })))
    }

    /// Every export there is now, in the order of their coming.
    #[must_use]
    pub fn list(&self) -> Arc<[Export]> {
        Arc::clone(&self.0.list.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The export that a client means by `name`.
    pub(crate) fn find(&self, name: &str) -> Option<Export> {
        let list = self.list();
        let named = |name: &str| list.iter().find(|export| export.name == name).cloned();
        named(name).or_else(|| if name.is_empty() { named(self.0.default.as_deref()?) } else { None })
    }

    /// One more.
    pub(super) fn add(&self, export: Export) -> Result<(), BadExport> {
        export.check()?;
        self.change(|list| {
            if list.iter().any(|other| other.name == export.name) {
                return Err(BadExport::Twice(export.name));
            }
            Ok(list.iter().cloned().chain([export]).collect())
        })
    }

    /// One less; the one that it was.
    pub(super) fn remove(&self, name: &str) -> Option<Export> {
        let mut gone = None;
        let without = |list: &[Export]| {
            let (there, rest): (Vec<_>, Vec<_>) = list.iter().cloned().partition(|export| export.name == name);
            gone = there.into_iter().next();
            Ok::<_, BadExport>(rest)
        };
        // It cannot fail.
        let _ = self.change(without);
        gone
    }

    fn change<E>(&self, change: impl FnOnce(&[Export]) -> Result<Vec<Export>, E>) -> Result<(), E> {
        let mut list = self.0.list.write().unwrap_or_else(PoisonError::into_inner);
        *list = change(&list)?.into();
        Ok(())
    }
}

/// Why exports cannot be offered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadExport {
    /// Two exports cannot be told apart.
    #[error("the export name '{0}' is used twice; choose another")]
    Twice(String),
    /// A string the protocol does not allow.
    #[error("the export name or description '{0}' is longer than 4096 bytes or has a NUL in it")]
    Text(String),
}
