//! The rekey that runs, if one does. There is a record while it runs, and none when it is over.
//!
//! ```text
//! (none) ──begin──▶ CreateNewMasterKey ──▶ RewrapDataEncryptionKeys ──▶ DecommissionOldMasterKey ──▶ (none)
//!                        └── no key, cancelled ─┴── cancelled ────────────────────────────────────────▲
//! ```
//! Each phase is durable before anything of it is done, so the next start knows where to go on. What may follow
//! what: `docs/rekey.md`.

use keywrap::keys::KeyId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::async_results::AsyncHandle;
use super::id::Only;
use super::master_keys::Management;
use super::record::Record;
use crate::time::UnixSeconds;

/// The one record, under `rekey/only`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rekey {
    /// Its asynchronous result.
    pub handle: AsyncHandle,
    /// The key that was in force when it began.
    pub old: KeyId,
    /// Who is to manage the new key.
    pub to: Management,
    /// The new key, once there is one.
    pub new: Option<KeyId>,
    /// How far it is.
    pub phase: RekeyPhase,
    /// When it began, by the clock of the cluster.
    pub started: UnixSeconds,
    /// Whether it was called off.
    #[serde(default)]
    pub is_cancelled: bool,
    /// What the new key is made for: the key of this order is the rekey's, and no other is. Only a rekey that an earlier
    /// release began has none.
    #[serde(default)]
    pub order: Option<Uuid>,
}

/// How far a rekey is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RekeyPhase {
    /// The new key is being made.
    CreateNewMasterKey,
    /// It is in force, and volumes are being wrapped by it.
    RewrapDataEncryptionKeys,
    /// No volume depends on the old key.
    DecommissionOldMasterKey,
}

impl Record for Rekey {
    const KIND: &'static str = "rekey";
    type Id = Only;

    fn id(&self) -> Only {
        Only
    }
}
