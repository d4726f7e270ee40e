//! Software encryption at rest, and that of drives, which this system has none of.

use crate::cluster::control::ClusterControl;
use crate::cluster::errors::of_record;
use crate::records::{self, AsyncResult, Management, MasterKeyRecord};
use crate::rpc::control::{HardwareEncryption, Outcome, SoftwareEncryption};
use crate::rpc::types::sear::{EncryptionKeyInfo, KeyManagement, RekeyMasterKey, SearInfo, SearState};
use crate::rpc::types::sed::{EncryptionInfo, SedState};
use crate::rpc::types::{AsyncHandleId, KeyProviderId, Timestamp};
use crate::rpc::{ApiError, ErrorName};

impl SoftwareEncryption for ClusterControl {
    fn sear_info(&self) -> Outcome<SearInfo> {
        let encryption = self.need_cluster()?.encryption;
        let key = encryption.master_key.map(|id| self.key_record(id)).transpose()?;
        let rekey = match encryption.rekey {
            Some(handle) => self.records.table::<AsyncResult>().get(handle).map_err(of_record)?,
            None => None,
        };
        Ok(SearInfo {
            state: if encryption.enabled { SearState::Enabled } else { SearState::Disabled },
            version: encryption.version.into(),
            master_key_info: key.as_ref().map(key_info),
            rekey: rekey.map(|result| AsyncHandleId(result.handle.0)),
        })
    }

    fn rekey_master_key(&self, order: RekeyMasterKey) -> Outcome<AsyncHandleId> {
        let target = self.rekey_target(order)?;
        Ok(AsyncHandleId(self.begin_rekey(target)?.0))
    }

    fn cancel_rekey(&self) -> Outcome<AsyncHandleId> {
        Ok(AsyncHandleId(self.call_off_rekey()?.0))
    }
}

impl ClusterControl {
    /// Who is to manage the new key.
    fn rekey_target(&self, order: RekeyMasterKey) -> Outcome<Management> {
        let encryption = self.need_cluster()?.encryption;
        let Some(now) = encryption.master_key else {
            let message = "software encryption at rest was not switched on when the cluster was created";
            return Err(ApiError::new(ErrorName::SoftwareEncryptionNotEnabled, message));
        };
        let target = match (order.key_management_type, order.provider) {
            (None, _) => self.key_record(now)?.management,
            (Some(KeyManagement::Internal), _) => Management::Internal,
            (Some(KeyManagement::External), Some(provider)) => Management::External(records::KeyProviderId(provider.0)),
            (Some(KeyManagement::External), None) => {
                let message = "external key management needs the parameter `keyProviderID`";
                return Err(ApiError::new(ErrorName::InvalidParameter, message));
            }
        };
        if let Management::External(provider) = target {
            self.usable_provider(provider)?;
        }
        Ok(target)
    }
}

/// A key as the API shows it.
pub(in crate::cluster) fn key_info(key: &MasterKeyRecord) -> EncryptionKeyInfo {
    EncryptionKeyInfo {
        id: Some(key.id.0),
        key_management_type: match key.management {
            Management::Internal => KeyManagement::Internal,
            Management::External(_) => KeyManagement::External,
        },
        key_created_time: Some(Timestamp(key.created)),
        provider: key.provider().map(|id| KeyProviderId(id.0)),
    }
}

impl HardwareEncryption for ClusterControl {
    fn enable_encryption(&self, provider: Option<KeyProviderId>) -> Outcome<()> {
        if let Some(provider) = provider {
            self.usable_provider(records::KeyProviderId(provider.0))?;
        }
        no_drives()
    }

    fn disable_encryption(&self) -> Outcome<()> {
        no_drives()
    }

    fn encryption_info(&self) -> Outcome<EncryptionInfo> {
        Ok(EncryptionInfo { state: SedState::Disabled, authentication_key_info: None })
    }
}

fn no_drives() -> Outcome<()> {
    let message = "there are no self-encrypting drives; volumes are encrypted by software";
    Err(ApiError::new(ErrorName::ApiNotPermitted, message))
}
