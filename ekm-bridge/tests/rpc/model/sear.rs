//! Software and hardware encryption at rest.

use ekm_bridge::rpc::ErrorName;
use ekm_bridge::rpc::control::{HardwareEncryption, HeaderBackups, Ledger, Outcome, SoftwareEncryption};
use ekm_bridge::rpc::types::async_results::{AsyncOutcome, AsyncResultType};
use ekm_bridge::rpc::types::ledger::{DecommissionKey, HeaderBackup, KeyReport, KeyState, MasterKey, SetRotation};
use ekm_bridge::rpc::types::sear::{
    EncryptionKeyInfo, KeyManagement, RekeyInfo, RekeyMasterKey, RekeyState, SearInfo, SearState,
};
use ekm_bridge::rpc::types::sed::{EncryptionInfo, SedState};
use ekm_bridge::rpc::types::{AsyncHandleId, KeyProviderId, Timestamp, VolumeId};
use uuid::Uuid;

use super::{Model, fail};

impl SoftwareEncryption for Model {
    fn sear_info(&self) -> Outcome<SearInfo> {
        let state = self.state();
        let is_on = state.master_key.is_some();
        Ok(SearInfo {
            state: if is_on { SearState::Enabled } else { SearState::Disabled },
            version: u64::from(is_on),
            master_key_info: state.master_key.clone(),
            rekey: state.rekey.filter(|id| state.work.contains_key(id)),
        })
    }

    fn rekey_master_key(&self, order: RekeyMasterKey) -> Outcome<AsyncHandleId> {
        let mut state = self.state();
        let Some(old) = state.master_key.clone() else {
            return fail(ErrorName::SoftwareEncryptionNotEnabled, "software encryption at rest is disabled");
        };
        if state.rekey.is_some_and(|id| state.work.get(&id).is_some_and(|work| work.steps.len() > 1)) {
            return fail(ErrorName::RekeyInProgress, "a rekey is running");
        }
        let provider = match order.key_management_type {
            None => old.provider,
            Some(KeyManagement::Internal) => None,
            Some(KeyManagement::External) => order.provider,
        };
        provider.map_or(Ok(()), |provider| state.usable(provider).map(drop))?;
        let new = new_key(provider);
        let steps = steps(&old, &new);
        state.master_key = Some(new);
        let id = state.begin(AsyncResultType::RekeyMasterKey, steps);
        state.rekey = Some(id);
        state.report("encryptionAtRestEvent", "a rekey began".into());
        Ok(id)
    }

    fn cancel_rekey(&self) -> Outcome<AsyncHandleId> {
        fail(ErrorName::DbNoSuchPath, "the model's rekeys cannot be called off")
    }
}

/// The model has one master key at a time and no headers.
impl Ledger for Model {
    fn master_keys(&self) -> Outcome<Vec<MasterKey>> {
        let key = |info| MasterKey {
            info,
            state: KeyState::Active,
            is_in_force: true,
            dependants: 0,
            dependant_names: Vec::new(),
            waits_for: None,
        };
        Ok(self.state().master_key.clone().map(key).into_iter().collect())
    }

    fn master_key_report(&self, key: Uuid) -> Outcome<KeyReport> {
        fail(ErrorName::MasterKeyDoesNotExist, format!("the model keeps no record of master key {key}"))
    }

    fn decommission_key(&self, order: &DecommissionKey, by: &str) -> Outcome<()> {
        fail(ErrorName::MasterKeyDoesNotExist, format!("{by} cannot end {}", order.key))
    }

    fn set_rotation(&self, order: &SetRotation) -> Outcome<()> {
        let state = self.state();
        order.provider.map_or(Ok(()), |provider| state.usable(provider).map(drop))
    }
}

impl HeaderBackups for Model {
    fn create_header_backup(&self, volume: VolumeId) -> Outcome<HeaderBackup> {
        fail(ErrorName::VolumeDoesNotExist, format!("volume {volume} has no header in the model"))
    }

    fn header_backups(&self, _volume: Option<VolumeId>) -> Outcome<Vec<HeaderBackup>> {
        Ok(Vec::new())
    }

    fn delete_header_backup(&self, id: Uuid, _is_gone: bool) -> Outcome<()> {
        fail(ErrorName::DbNoSuchPath, format!("there is no header backup {id}"))
    }
}

impl HardwareEncryption for Model {
    fn enable_encryption(&self, provider: Option<KeyProviderId>) -> Outcome<()> {
        let mut state = self.state();
        provider.map_or(Ok(()), |provider| state.usable(provider).map(drop))?;
        state.drive_key = Some(new_key(provider));
        Ok(())
    }

    fn disable_encryption(&self) -> Outcome<()> {
        self.state().drive_key = None;
        Ok(())
    }

    fn encryption_info(&self) -> Outcome<EncryptionInfo> {
        let key = self.state().drive_key.clone();
        let state = if key.is_some() { SedState::Enabled } else { SedState::Disabled };
        Ok(EncryptionInfo { state, authentication_key_info: key })
    }
}

/// A new key of `provider`, or an internal one.
pub(super) fn new_key(provider: Option<KeyProviderId>) -> EncryptionKeyInfo {
    let management = if provider.is_some() { KeyManagement::External } else { KeyManagement::Internal };
    EncryptionKeyInfo {
        id: Some(Uuid::new_v4()),
        key_management_type: management,
        key_created_time: Some(Timestamp::now()),
        provider,
    }
}

/// The phases of a rekey, one for each question, and its result.
fn steps(old: &EncryptionKeyInfo, new: &EncryptionKeyInfo) -> Vec<AsyncOutcome> {
    let info = |state, new_key: Option<EncryptionKeyInfo>| {
        let operation = "Rekeying Master Key.".into();
        let left_behind = Vec::new();
        let info = RekeyInfo { key_to_decommission: Some(old.clone()), new_key, operation, state, left_behind };
        serde_json::to_value(info).unwrap()
    };
    vec![
        AsyncOutcome::Details(info(RekeyState::CreateNewMasterKey, None)),
        AsyncOutcome::Details(info(RekeyState::RewrapDataEncryptionKeys, Some(new.clone()))),
        AsyncOutcome::Details(info(RekeyState::DecommissionOldMasterKey, Some(new.clone()))),
        AsyncOutcome::Result(info(RekeyState::Ready, Some(new.clone()))),
    ]
}
