//! The ledger of master keys, and backups of headers. Element has no such methods; these are ours.

use super::call::Call;
use super::keys::nothing;
use super::row::{Method, method};
use crate::rpc::types::ledger::{
    BackUpHeader, Backups, DecommissionKey, DeleteBackup, ListBackups, MasterKeys, OneBackup, OneKey, SetRotation,
};
use crate::rpc::types::{AsyncHandle, NoParams};

pub(super) const METHODS: &[Method] = &[
    method!(
        "CancelRekeySoftwareEncryptionAtRestMasterKey",
        (12, 3),
        Cluster,
        Administrator,
        Created,
        |call, _params: NoParams| { call.control.cancel_rekey().map(|async_handle| AsyncHandle { async_handle }) }
    ),
    method!("ListMasterKeys", (12, 3), Cluster, ReadOnly, Created, |call, _params: NoParams| {
        call.control.master_keys().map(|master_keys| MasterKeys { master_keys })
    }),
    method!("GetMasterKeyReport", (12, 3), Cluster, ReadOnly, Created, |call, params: OneKey| {
        call.control.master_key_report(params.key)
    }),
    method!("DecommissionMasterKey", (12, 3), Cluster, Administrator, Created, |call, params: DecommissionKey| {
        call.control.decommission_key(&params, caller(call)).map(nothing)
    }),
    method!("SetMasterKeyRotation", (12, 3), Cluster, Administrator, Created, |call, params: SetRotation| {
        call.control.set_rotation(&params).map(nothing)
    }),
    method!("CreateVolumeHeaderBackup", (12, 3), Cluster, Administrator, Created, |call, params: BackUpHeader| {
        call.control.create_header_backup(params.volume).map(|header_backup| OneBackup { header_backup })
    }),
    method!("ListVolumeHeaderBackups", (12, 3), Cluster, ReadOnly, Created, |call, params: ListBackups| {
        call.control.header_backups(params.volume).map(|header_backups| Backups { header_backups })
    }),
    method!("DeleteVolumeHeaderBackup", (12, 3), Cluster, Administrator, Created, |call, params: DeleteBackup| {
        call.control.delete_header_backup(params.id, params.is_gone == Some(true)).map(nothing)
    }),
];

fn caller<'a>(call: &'a Call<'_>) -> &'a str {
    call.caller.name().unwrap_or("-")
}
