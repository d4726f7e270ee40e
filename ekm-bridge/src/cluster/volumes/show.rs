//! A volume as the API shows it.

use super::remove::purge_time;
use crate::records::{self, Access, Qos};
use crate::rpc::types::volumes::{ProtectionScheme, Volume, VolumeAccess, VolumeQos, VolumeStatus};
use crate::rpc::types::{AccountId, Timestamp, VolumeId};

pub(super) fn volume(volume: records::Volume) -> Volume {
    let records::Volume { id, uuid, name, account, size, status, created, access, qos, .. } = volume;
    let records::Volume { attributes, enable_512e, path, .. } = volume;
    let deleted = match status {
        records::VolumeStatus::Active => None,
        records::VolumeStatus::Deleted { at, .. } => Some(at),
    };
    Volume {
        id: VolumeId(id.0),
        name,
        account: AccountId(account),
        create_time: Timestamp(created),
        consistency_group: uuid,
        uuid,
        enable_snap_mirror_replication: false,
        status: match (deleted, path) {
            (Some(_), _) => VolumeStatus::Deleted,
            (None, Some(_)) => VolumeStatus::Active,
            (None, None) => VolumeStatus::Creating,
        },
        access: shown_access(access),
        enable512e: enable_512e,
        iqn: None,
        scsi_eui: uuid.simple().to_string(),
        scsi_naa: format!("6f47acc1{:024x}", id.0),
        qos: shown_qos(qos),
        qos_policy: None,
        volume_access_groups: Vec::new(),
        volume_pairs: Vec::new(),
        delete_time: deleted.map(Timestamp),
        purge_time: purge_time(status).map(Timestamp),
        last_access_time: None,
        last_access_time_io: None,
        slice_count: 1,
        total_size: size,
        block_size: if enable_512e { 512 } else { 4096 },
        virtual_volume: None,
        attributes,
        current_protection_scheme: ProtectionScheme::SingleHelix,
        previous_protection_scheme: None,
        fifo_size: None,
        min_fifo_size: None,
    }
}

fn shown_access(access: Access) -> VolumeAccess {
    match access {
        Access::ReadWrite => VolumeAccess::ReadWrite,
        Access::ReadOnly => VolumeAccess::ReadOnly,
        Access::Locked => VolumeAccess::Locked,
        Access::ReplicationTarget => VolumeAccess::ReplicationTarget,
    }
}

fn shown_qos(qos: Qos) -> VolumeQos {
    let Qos { min_iops, max_iops, burst_iops, burst_seconds, curve } = qos;
    let curve = curve.into_iter().map(|(bytes, cost)| (bytes.to_string(), cost)).collect();
    VolumeQos { min_iops, max_iops, burst_iops, burst_time: burst_seconds, curve }
}
