//! Encryption at rest, in software and in drives.

use super::call::{Call, invalid};
use super::keys::nothing;
use super::row::{Method, method};
use crate::rpc::control::Outcome;
use crate::rpc::types::sear::{KeyManagement, RekeyMasterKey};
use crate::rpc::types::sed::EnableEncryption;
use crate::rpc::types::{AsyncHandle, NoParams};

pub(super) const METHODS: &[Method] = &[
    method!("GetSoftwareEncryptionAtRestInfo", (12, 3), Cluster, ReadOnly, Created, |call, _params: NoParams| {
        call.control.sear_info()
    }),
    method!(
        "RekeySoftwareEncryptionAtRestMasterKey",
        (12, 3),
        Cluster,
        Administrator,
        Created,
        |call, params: RekeyMasterKey| { rekey(call, params) }
    ),
    method!("EnableEncryptionAtRest", (5, 0), Cluster, Administrator, Created, |call, params: EnableEncryption| {
        call.control.enable_encryption(params.provider).map(nothing)
    }),
    method!("DisableEncryptionAtRest", (5, 0), Cluster, Administrator, Created, |call, _params: NoParams| {
        call.control.disable_encryption().map(nothing)
    }),
    method!("GetEncryptionAtRestInfo", (12, 3), Cluster, ReadOnly, Created, |call, _params: NoParams| {
        call.control.encryption_info()
    }),
];

fn rekey(call: &Call<'_>, order: RekeyMasterKey) -> Outcome<AsyncHandle> {
    match (order.key_management_type, order.provider) {
        (Some(KeyManagement::External), None) => {
            return Err(invalid("external key management needs the parameter `keyProviderID`"));
        }
        (Some(KeyManagement::Internal) | None, Some(_)) => {
            return Err(invalid("parameter `keyProviderID` needs `keyManagementType` External"));
        }
        (Some(KeyManagement::External), Some(_)) | (Some(KeyManagement::Internal) | None, None) => {}
    }
    call.control.rekey_master_key(order).map(|async_handle| AsyncHandle { async_handle })
}
