//! What an administrator says about old keys.

use std::collections::BTreeSet;

use keywrap::keys::KeyId;
use serde_json::json;

use super::Kept;
use crate::cluster::control::ClusterControl;
use crate::cluster::errors::of_record;
use crate::records::key_lives::Word;
use crate::records::{self, Header, MasterKeyRecord, MasterKeyState, Only};
use crate::rpc::control::Outcome;
use crate::rpc::types::ledger::{DecommissionKey, SetRotation};
use crate::rpc::{ApiError, ErrorName};

impl ClusterControl {
    /// Lets a key end that waits for a word, or, forced, one that headers depend on, whose names have to be told.
    pub(super) fn decommission(&self, order: &DecommissionKey, by: &str) -> Outcome<()> {
        let id = KeyId(order.key);
        let key = self.known_key(id)?;
        match key.state {
            MasterKeyState::Destroyed => return Ok(()),
            MasterKeyState::Created | MasterKeyState::Active => {
                let message = format!("master key {id} is in force; rekey first");
                return Err(ApiError::new(ErrorName::MasterKeyInUse, message));
            }
            MasterKeyState::ToDecommission | MasterKeyState::Revoked => {}
        }
        let dependants = self.records.headers_naming(id).map_err(of_record)?;
        let is_forced = order.force == Some(true);
        if is_forced {
            check_names(&dependants, order.dependants.as_deref().unwrap_or_default())?;
        } else if !dependants.is_empty() {
            return Err(in_use(id, &dependants));
        }
        let word = Word { at: self.now(), by: by.to_owned(), is_forced, dependants: dependants.len() };
        if let Some(journal) = &self.journal {
            let names: Vec<String> = dependants.iter().map(Header::name).collect();
            let details = json!({ "keyID": id.0, "by": by, "isForced": is_forced, "dependants": names });
            journal.note(word.at, "MasterKeyWord", &details);
        }
        self.note(id, |life| life.word = Some(word.clone()))?;
        let said = if is_forced { " although headers depend on it" } else { "" };
        self.changed(&format!("Master key {id} is to be destroyed{said}, by order of {by}."))?;
        match self.end_key(id)? {
            Kept::Ended => Ok(()),
            Kept::Waits => {
                self.wake_rekey();
                Ok(())
            }
        }
    }

    pub(super) fn known_key(&self, id: KeyId) -> Outcome<MasterKeyRecord> {
        let unknown = || ApiError::new(ErrorName::MasterKeyDoesNotExist, format!("there is no master key {id}"));
        self.records.table().get(id).map_err(of_record)?.ok_or_else(unknown)
    }

    /// After how many days the master keys of a provider, or internal ones, are replaced.
    pub(super) fn rotate_after(&self, order: &SetRotation) -> Outcome<()> {
        if order.days == Some(0) {
            let message = "parameter `days` is at least 1, or null for no rotation";
            return Err(ApiError::new(ErrorName::InvalidParameter, message));
        }
        let whose = match order.provider {
            Some(id) => {
                let id = records::KeyProviderId(id.0);
                self.provider_record(id)?;
                let set = |provider: &mut records::KeyProviderRecord| provider.rotation_days = order.days;
                self.records.table().update(id, set).map_err(of_record)?;
                format!("key provider {id}")
            }
            None => {
                let set = |cluster: &mut records::Cluster| cluster.encryption.rotation_days = order.days;
                self.need_cluster()?;
                self.records.table().update(Only, set).map_err(of_record)?;
                "internal key management".to_owned()
            }
        };
        let period = order.days.map_or("never".to_owned(), |days| format!("every {days} days"));
        self.changed(&format!("Master keys of {whose} are replaced {period}."))
    }
}

fn in_use(id: KeyId, dependants: &[Header]) -> ApiError {
    let names: Vec<String> = dependants.iter().take(8).map(Header::name).collect();
    let more = if dependants.len() > names.len() { " and more" } else { "" };
    let message = format!(
        "{} headers depend on master key {id}: {}{more}. Bring them back, or, to lose them, force it and name each",
        dependants.len(),
        names.join(", ")
    );
    ApiError::new(ErrorName::MasterKeyInUse, message)
}

/// Every dependant has to be named, and nothing else.
fn check_names(dependants: &[Header], told: &[String]) -> Outcome<()> {
    let names: BTreeSet<String> = dependants.iter().map(Header::name).collect();
    let told: BTreeSet<String> = told.iter().cloned().collect();
    if names == told {
        return Ok(());
    }
    let difference: Vec<&String> = names.symmetric_difference(&told).take(8).collect();
    let message = format!(
        "parameter `dependants` has to name exactly what is lost with the key; these are missing or wrong: {difference:?}"
    );
    Err(ApiError::new(ErrorName::InvalidParameter, message))
}
