//! The ledger of master keys: which ones there are, where, and how far each is on its way out.
//!
//! ```text
//!               ┌── called off ──┐
//!               ▼                │
//! Created ──▶ Active ──▶ ToDecommission ──▶ Revoked ──▶ Destroyed
//!    └──────────────────────▲                               ▲
//!                           └─ (internal: nothing to revoke)─┘
//! ```

use std::collections::BTreeMap;

use keywrap::keys::KeyId;
use serde::{Deserialize, Serialize};

use super::key_providers::KeyProviderId;
use super::key_servers::KeyServerId;
use super::record::Record;
use crate::time::UnixSeconds;

/// One master key. The key itself is with its provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MasterKeyRecord {
    /// Its id, which is not its KMIP Unique Identifier.
    pub id: KeyId,
    /// Who manages it.
    pub management: Management,
    /// The KMIP Unique Identifier on each key server that holds it.
    pub unique_identifiers: BTreeMap<KeyServerId, String>,
    /// When it was made, by the clock of the cluster.
    pub created: UnixSeconds,
    /// How far it is.
    pub state: MasterKeyState,
}

/// Who manages a master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Management {
    /// The built-in provider.
    Internal,
    /// A provider over key servers.
    External(KeyProviderId),
}

/// Where a master key is on its way from first to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum MasterKeyState {
    /// Made, and nothing is wrapped under it for certain.
    Created,
    /// In force.
    Active,
    /// No longer in force; volumes may still depend on it.
    ToDecommission,
    /// Nothing depends on it, and its servers were told not to give it out.
    Revoked,
    /// Gone.
    Destroyed,
}

impl MasterKeyState {
    /// All states, first to last.
    pub const ALL: [Self; 5] = [Self::Created, Self::Active, Self::ToDecommission, Self::Revoked, Self::Destroyed];

    /// Whether a key in this state may go to `next`. Staying is always allowed, going back never.
    #[must_use]
    pub fn may_become(self, next: Self, management: Management) -> bool {
        match (self, next) {
            (from, to) if from == to => true,
            (Self::Created, Self::Active | Self::ToDecommission) => true,
            (Self::Active, Self::ToDecommission) => true,
            (Self::ToDecommission, Self::Revoked) | (Self::Revoked, Self::Destroyed) => true,
            (Self::ToDecommission, Self::Destroyed) => management == Management::Internal,
            _ => false,
        }
    }
}

impl MasterKeyRecord {
    /// Whether the key exists: made and not destroyed.
    #[must_use]
    pub fn is_outstanding(&self) -> bool {
        self.state != MasterKeyState::Destroyed
    }

    /// The provider of an external key.
    #[must_use]
    pub fn provider(&self) -> Option<KeyProviderId> {
        match self.management {
            Management::Internal => None,
            Management::External(provider) => Some(provider),
        }
    }
}

impl Record for MasterKeyRecord {
    const KIND: &'static str = "master-key";
    type Id = KeyId;

    fn id(&self) -> KeyId {
        self.id
    }

    fn index(&self) -> Vec<(&'static str, String)> {
        self.provider().map(|provider| ("provider", provider.to_string())).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTERNAL: Management = Management::External(KeyProviderId(1));

    #[test]
    fn a_key_only_goes_forward_and_is_destroyed_only_when_nothing_depends_on_it() {
        use MasterKeyState::{Active, Created, Destroyed, Revoked, ToDecommission};
        let mut allowed = Vec::new();
        for from in MasterKeyState::ALL {
            allowed.extend(
                MasterKeyState::ALL
                    .iter()
                    .filter(|to| from != **to && from.may_become(**to, EXTERNAL))
                    .map(|to| (from, *to)),
            );
            assert!(from.may_become(from, EXTERNAL));
        }
        let expected = [
            (Created, Active),
            (Created, ToDecommission),
            (Active, ToDecommission),
            (ToDecommission, Revoked),
            (Revoked, Destroyed),
        ];
        assert_eq!(allowed, expected);
        assert!(ToDecommission.may_become(Destroyed, Management::Internal));
        assert!(!Active.may_become(Destroyed, Management::Internal));
    }
}
