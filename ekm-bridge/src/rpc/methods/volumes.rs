//! Volumes and their statistics.

use serde_json::{Map, Value};

use super::call::{Call, check_list, invalid};
use super::keys::nothing;
use super::row::{Method, method};
use crate::rpc::control::Outcome;
use crate::rpc::error::{ApiError, ErrorName};
use crate::rpc::types::Nothing;
use crate::rpc::types::limits;
use crate::rpc::types::stats::{ListVolumeStats, ManyVolumeStats, OneVolumeStats};
use crate::rpc::types::volumes::{
    CreateVolume, DeleteVolumes, ListVolumes, ModifyVolume, OneVolume, PurgeVolumes, VolumeAccess, VolumeCreated,
    VolumeParam, Volumes,
};

pub(super) const METHODS: &[Method] = &[
    method!("ListVolumes", (8, 0), Cluster, ReadOnly, Created, |call, params: ListVolumes| list(call, &params)),
    method!("CreateVolume", (1, 0), Cluster, Administrator, Created, |call, params: CreateVolume| create(call, params)),
    method!("ModifyVolume", (1, 0), Cluster, Administrator, Created, |call, params: ModifyVolume| modify(call, params)),
    method!("DeleteVolume", (1, 0), Cluster, Administrator, Created, |call, params: VolumeParam| {
        call.control.delete_volume(params.id).map(|volume| OneVolume { volume })
    }),
    method!("DeleteVolumes", (9, 0), Cluster, Administrator, Created, |call, params: DeleteVolumes| {
        check_choice(&params)?;
        call.control.delete_volumes(&params).map(|volumes| Volumes { volumes })
    }),
    method!("PurgeDeletedVolume", (1, 0), Cluster, Administrator, Created, |call, params: VolumeParam| {
        call.control.purge_volume(params.id).map(nothing)
    }),
    method!("PurgeDeletedVolumes", (9, 0), Cluster, Administrator, Created, |call, params: PurgeVolumes| {
        purge(call, &params)
    }),
    method!("GetVolumeStats", (1, 0), Cluster, ReadOnly, Created, |call, params: VolumeParam| {
        call.control.volume_stats(params.id).map(|volume_stats| OneVolumeStats { volume_stats })
    }),
    method!("ListVolumeStats", (7, 0), Cluster, ReadOnly, Created, |call, params: ListVolumeStats| {
        call.control.all_volume_stats(params.volumes.as_deref()).map(|volume_stats| ManyVolumeStats { volume_stats })
    }),
];

fn list(call: &Call<'_>, filter: &ListVolumes) -> Outcome<Volumes> {
    if filter.is_contradiction() {
        return Err(invalid("parameter `volumeIDs` excludes `accounts`, `startVolumeID` and `limit`"));
    }
    call.control.volumes(filter).map(|volumes| Volumes { volumes })
}

fn create(call: &Call<'_>, new: CreateVolume) -> Outcome<VolumeCreated> {
    let name = u64::try_from(new.name.chars().count()).unwrap_or(u64::MAX);
    if !(limits::VOLUME_NAME_LENGTH_MIN..=limits::VOLUME_NAME_LENGTH_MAX).contains(&name) {
        return Err(invalid("parameter `name` has to have 1 to 64 characters"));
    }
    check_size(new.total_size)?;
    check_qos(new.qos.is_some(), new.qos_policy.is_some())?;
    check_attributes(new.attributes.as_ref())?;
    if new.access.is_some_and(|access| access != VolumeAccess::SnapMirrorTarget) {
        return Err(invalid("parameter `access` can only be snapMirrorTarget for a new volume"));
    }
    let volume = call.control.create_volume(new)?;
    Ok(VolumeCreated { id: volume.id, curve: volume.qos.curve.clone(), volume })
}

fn modify(call: &Call<'_>, change: ModifyVolume) -> Outcome<OneVolume> {
    // The least holds for new volumes; these only grow, and may have been taken on.
    change.total_size.map_or(Ok(()), |size| check_size(size.max(limits::VOLUME_SIZE_MIN)))?;
    check_qos(change.qos.is_some(), change.qos_policy.is_some())?;
    check_attributes(change.attributes.as_ref())?;
    if change.access == Some(VolumeAccess::SnapMirrorTarget) {
        return Err(invalid("parameter `access` cannot become snapMirrorTarget"));
    }
    call.control.modify_volume(change).map(|volume| OneVolume { volume })
}

fn purge(call: &Call<'_>, which: &PurgeVolumes) -> Outcome<Nothing> {
    check_choice(which)?;
    call.control.purge_volumes(which).map(nothing)
}

fn check_size(bytes: u64) -> Outcome<()> {
    let (min, max) = (limits::VOLUME_SIZE_MIN, limits::VOLUME_SIZE_MAX);
    if (min..=max).contains(&bytes) {
        return Ok(());
    }
    Err(ApiError::new(ErrorName::ExceededLimit, format!("parameter `totalSize` is outside of {min} to {max} bytes")))
}

fn check_qos(has_qos: bool, has_policy: bool) -> Outcome<()> {
    if has_qos && has_policy { Err(invalid("parameters `qos` and `qosPolicyID` exclude each other")) } else { Ok(()) }
}

fn check_attributes(attributes: Option<&Map<String, Value>>) -> Outcome<()> {
    let len = attributes.map_or(0, |attributes| Value::Object(attributes.clone()).to_string().len());
    if len < limits::ATTRIBUTES_BYTES_MAX {
        return Ok(());
    }
    Err(invalid(format!("parameter `attributes` has {len} bytes of JSON; less than {}", limits::ATTRIBUTES_BYTES_MAX)))
}

/// Exactly one list, and that not too long.
fn check_choice(which: &DeleteVolumes) -> Outcome<()> {
    let lengths = [
        which.accounts.as_ref().map(Vec::len),
        which.groups.as_ref().map(Vec::len),
        which.volumes.as_ref().map(Vec::len),
    ];
    let given: Vec<usize> = lengths.into_iter().flatten().collect();
    let [len] = given.as_slice() else {
        return Err(invalid("give exactly one of `accountIDs`, `volumeAccessGroupIDs` and `volumeIDs`"));
    };
    check_list("volumeIDs", &vec![(); *len], limits::BULK_VOLUMES_MAX)
}
