//! The ledger of master keys, and backups of headers: ours, not Element's.

use uuid::Uuid;

use super::Outcome;
use crate::rpc::types::VolumeId;
use crate::rpc::types::ledger::{DecommissionKey, HeaderBackup, KeyReport, MasterKey, SetRotation};

/// Every master key that the cluster ever had.
pub trait Ledger {
    /// All of them, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    fn master_keys(&self) -> Outcome<Vec<MasterKey>>;

    /// Everything that is known of one.
    ///
    /// # Errors
    /// `xMasterKeyDoesNotExist`.
    fn master_key_report(&self, key: Uuid) -> Outcome<KeyReport>;

    /// Lets an old key end by the word of `by`. What cannot be done now goes on in the background.
    ///
    /// # Errors
    /// `xMasterKeyDoesNotExist`; `xMasterKeyInUse` when it is in force, or something depends on it and it is not forced;
    /// `xInvalidParameter` when the dependants that are named are not those that there are.
    fn decommission_key(&self, order: &DecommissionKey, by: &str) -> Outcome<()>;

    /// After how many days keys are replaced.
    ///
    /// # Errors
    /// `xKeyProviderDoesNotExist`, `xInvalidParameter`.
    fn set_rotation(&self, order: &SetRotation) -> Outcome<()>;
}

/// Backups of the headers of volumes. They are known here, so that old keys are kept for them, or they are rewrapped.
pub trait HeaderBackups {
    /// Makes one.
    ///
    /// # Errors
    /// `xVolumeIDDoesNotExist`, `xVolumeUnavailable`.
    fn create_header_backup(&self, volume: VolumeId) -> Outcome<HeaderBackup>;

    /// Those of a volume, or all.
    ///
    /// # Errors
    /// When the store fails.
    fn header_backups(&self, volume: Option<VolumeId>) -> Outcome<Vec<HeaderBackup>>;

    /// Destroys the keyslots in one, removes and forgets it. `is_gone` says that one that is not there does not exist.
    ///
    /// # Errors
    /// `xDBNoSuchPath`; `xVolumeUnavailable` when it is not there.
    fn delete_header_backup(&self, id: Uuid, is_gone: bool) -> Outcome<()>;
}
