//! The verbs: what one does with an encrypted volume, over the header of [`crate::luks2`].
//!
//! ```text
//! create ─┐                          ┌─ add_master_keyslot, add_passphrase, replace_passphrase, rewrap, adopt
//!         ├─ a volume ── unlock_* ───┼─ remove_keyslot, set_discards
//! adopt  ─┘                          └─ inspect, key_ids, backup_header, restore_header, erase
//! ```
//! Every verb takes the medium that holds the header. With an attached header that is the volume's own device; with a
//! detached one, another. A verb reads the header afresh, so that nothing stale is ever written back; callers keep
//! two processes from changing one header at the same time (a lock on the file).

mod adopt;
mod backup;
mod create;
mod erase;
mod error;
mod inspect;
mod keyslots;
mod passphrase;
mod recipe;
mod rewrap;
mod seal;
mod settings;
mod unlock;

pub use adopt::adopt;
pub use backup::{backup_header, restore_header};
pub use create::{CreateOptions, DEFAULT_DATA_OFFSET, create};
pub use erase::{ErasedRange, ErasureReport, erase};
pub use error::{ErrorKind, KeyslotProblem, VolumeError};
pub use inspect::{DigestInfo, Inspection, KeyslotInfo, SegmentInfo, TokenInfo, inspect, key_ids};
pub use keyslots::{add_master_keyslot, remove_keyslot};
pub use passphrase::{KdfChoice, add_passphrase, replace_passphrase};
pub use rewrap::{rewrap, rewrap_open};
pub use settings::set_discards;
pub use unlock::{Opened, keyslot_key, unlock_with_master, unlock_with_passphrase};

#[cfg(test)]
mod tests;
