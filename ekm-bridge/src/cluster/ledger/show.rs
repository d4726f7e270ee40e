//! The ledger, as the API shows it.

use keywrap::keys::KeyId;
use uuid::Uuid;

use crate::cluster::control::{ClusterControl, Decommission};
use crate::cluster::errors::of_record;
use crate::cluster::keys::key_info;
use crate::records::{self, Header, MasterKeyRecord, MasterKeyState};
use crate::rpc::control::{Ledger, Outcome};
use crate::rpc::types::ledger::{DecommissionKey, KeyReport, KeyState, MasterKey, SetRotation};

/// Dependants that a listing names.
const NAMED: usize = 32;

impl Ledger for ClusterControl {
    fn master_keys(&self) -> Outcome<Vec<MasterKey>> {
        let mut keys: Vec<MasterKeyRecord> = self.records.table().list().map_err(of_record)?;
        keys.sort_by_key(|key| (key.created, key.id));
        let in_force = self.need_cluster()?.encryption.master_key;
        keys.iter().map(|key| self.show_key(key, in_force)).collect()
    }

    fn master_key_report(&self, key: Uuid) -> Outcome<KeyReport> {
        self.report(KeyId(key))
    }

    fn decommission_key(&self, order: &DecommissionKey, by: &str) -> Outcome<()> {
        self.decommission(order, by)
    }

    fn set_rotation(&self, order: &SetRotation) -> Outcome<()> {
        self.rotate_after(order)
    }
}

impl ClusterControl {
    fn show_key(&self, key: &MasterKeyRecord, in_force: Option<KeyId>) -> Outcome<MasterKey> {
        let dependants = self.records.headers_naming(key.id).map_err(of_record)?;
        Ok(MasterKey {
            info: key_info(key),
            state: state(key.state),
            is_in_force: in_force == Some(key.id),
            dependants: dependants.len(),
            dependant_names: dependants.iter().take(NAMED).map(named).collect(),
            waits_for: self.waits_for(key, dependants.len())?,
        })
    }

    /// What an old key still waits for, for people.
    fn waits_for(&self, key: &MasterKeyRecord, dependants: usize) -> Outcome<Option<String>> {
        if !matches!(key.state, MasterKeyState::ToDecommission | MasterKeyState::Revoked) {
            return Ok(None);
        }
        let life = self.life(key.id)?;
        let refused = life.answers.iter().rev().find(|answer| !answer.is_done);
        let words = match (dependants, refused, self.config.decommission) {
            (1.., ..) => "headers that depend on it".to_owned(),
            (0, Some(answer), _) if life.proof.is_some() => format!("{}: {}", answer.place, answer.answer),
            (0, _, Decommission::ByWord) if life.word.is_none() => "the word of an administrator".to_owned(),
            (0, _, Decommission::After(hold)) if life.word.is_none() && life.proof.is_none() => {
                format!("the end of {} hours since it was replaced", hold.as_secs() / 3600)
            }
            _ => "its proof: headers to be read, key servers to give out the key in force".to_owned(),
        };
        Ok(Some(words))
    }
}

/// A dependant, with what stands in its way.
pub(super) fn named(header: &Header) -> String {
    match &header.trouble {
        Some(trouble) => format!("{} ({})", header.name(), trouble.why),
        None => header.name(),
    }
}

pub(super) fn state(state: MasterKeyState) -> KeyState {
    match state {
        records::MasterKeyState::Created => KeyState::Created,
        records::MasterKeyState::Active => KeyState::Active,
        records::MasterKeyState::ToDecommission => KeyState::ToDecommission,
        records::MasterKeyState::Revoked => KeyState::Revoked,
        records::MasterKeyState::Destroyed => KeyState::Destroyed,
    }
}
