//! Volumes through the API: each is a real one behind the host.

use std::time::Duration;

use ekm_bridge::cluster::Offer;
use ekm_bridge::rpc::ErrorName;
use ekm_bridge::rpc::control::{VolumeStatistics, Volumes};
use ekm_bridge::rpc::types::volumes::{DeleteVolumes, ListVolumes, ModifyVolume, SetQos, VolumeAccess, VolumeStatus};
use ekm_bridge::rpc::types::{AccountId, VolumeId};

use crate::rig::{GB, World, create_volumes, messages, new_volume, refused};

fn modify(id: VolumeId) -> ModifyVolume {
    ModifyVolume {
        id,
        account: None,
        access: None,
        qos: None,
        total_size: None,
        attributes: None,
        associate_with_qos_policy: None,
        qos_policy: None,
        enable_snap_mirror_replication: None,
        fifo_size: None,
        min_fifo_size: None,
    }
}

#[test]
fn a_volume_is_made_opened_changed_deleted_and_purged() {
    let world = World::new();
    let (control, _) = world.with_provider();
    let volume = control.create_volume(new_volume("data base")).unwrap();
    assert_eq!((volume.total_size, volume.total_size % 4096), (1_000_001_536, 0), "1 MB, then whole sectors");
    assert_eq!(world.host.open_volumes()[&volume.uuid], ("data-base.1".into(), Offer::ReadWrite));

    let grown = control.modify_volume(ModifyVolume { total_size: Some(2 * GB), ..modify(volume.id) }).unwrap();
    assert_eq!(world.host.disks()[&volume.uuid].0, grown.total_size);
    refused(
        control.modify_volume(ModifyVolume { total_size: Some(GB), ..modify(volume.id) }),
        ErrorName::InvalidParameter,
    );
    let access = |access| ModifyVolume { access: Some(access), ..modify(volume.id) };
    control.modify_volume(access(VolumeAccess::ReadOnly)).unwrap();
    assert_eq!(world.host.open_volumes()[&volume.uuid].1, Offer::ReadOnly);
    control.modify_volume(access(VolumeAccess::Locked)).unwrap();
    assert!(world.host.open_volumes().is_empty());
    control.modify_volume(access(VolumeAccess::ReadWrite)).unwrap();
    refused(control.modify_volume(access(VolumeAccess::ReplicationTarget)), ErrorName::ApiNotPermitted);
    let qos = SetQos { min_iops: Some(16_000), ..SetQos::default() };
    refused(control.modify_volume(ModifyVolume { qos: Some(qos), ..modify(volume.id) }), ErrorName::ExceededLimit);

    refused(control.purge_volume(volume.id), ErrorName::VolumeNotDeleted);
    assert_eq!(control.delete_volume(volume.id).unwrap().status, VolumeStatus::Deleted);
    assert!(world.host.open_volumes().is_empty() && world.host.disks().len() == 1, "closed and kept");
    refused(control.modify_volume(access(VolumeAccess::ReadOnly)), ErrorName::InvalidParameter);
    control.purge_volume(volume.id).unwrap();
    assert!(world.host.disks().is_empty());
    refused(control.purge_volume(volume.id), ErrorName::VolumeDoesNotExist);
}

#[test]
fn foreign_features_are_refused() {
    let world = World::new();
    let (control, _) = world.with_provider();
    let mut new = new_volume("v");
    new.account = AccountId(0);
    refused(control.create_volume(new.clone()), ErrorName::AccountDoesNotExist);
    new.account = AccountId(7);
    new.enable_snap_mirror_replication = Some(true);
    refused(control.create_volume(new), ErrorName::ApiNotPermitted);
    assert!(world.host.disks().is_empty());
}

#[test]
fn lists_and_bulk_calls_mean_what_they_name() {
    let world = World::new();
    let (control, _) = world.with_provider();
    let mut other = new_volume("other");
    other.account = AccountId(2);
    let other = control.create_volume(other).unwrap();
    let mine = create_volumes(&control, 3);
    let of_account = ListVolumes { accounts: Some(vec![AccountId(1)]), limit: Some(2), ..ListVolumes::default() };
    let listed = control.volumes(&of_account).unwrap();
    assert_eq!(listed.iter().map(|volume| volume.id).collect::<Vec<_>>(), [mine[0].id, mine[1].id]);
    let missing = DeleteVolumes { volumes: Some(vec![mine[0].id, VolumeId(99)]), ..DeleteVolumes::default() };
    refused(control.delete_volumes(&missing), ErrorName::VolumeDoesNotExist);
    assert_eq!(world.host.open_volumes().len(), 4, "none was deleted");
    let account = DeleteVolumes { accounts: Some(vec![AccountId(1)]), ..DeleteVolumes::default() };
    assert_eq!(control.delete_volumes(&account).unwrap().len(), 3);
    control.purge_volumes(&account).unwrap();
    assert_eq!(world.host.disks().into_keys().collect::<Vec<_>>(), [other.uuid]);
}

#[test]
fn counters_go_on_after_a_volume_was_closed() {
    let world = World::new();
    let (control, _) = world.with_provider();
    let volume = create_volumes(&control, 1).remove(0);
    world.host.work(volume.uuid, 3);
    assert_eq!(control.volume_stats(volume.id).unwrap().read_ops, 3);
    for access in [VolumeAccess::Locked, VolumeAccess::ReadWrite] {
        control.modify_volume(ModifyVolume { access: Some(access), ..modify(volume.id) }).unwrap();
        assert_eq!(control.volume_stats(volume.id).unwrap().read_ops, 3);
    }
    world.host.work(volume.uuid, 2);
    let all = control.all_volume_stats(None).unwrap();
    assert_eq!((all[0].read_ops, all[0].read_bytes), (5, 5 * 4096));
}

#[test]
fn a_deleted_volume_is_purged_when_its_time_has_come_and_not_before() {
    let world = World::new();
    let (control, _) = world.with_provider();
    let volumes = create_volumes(&control, 2);
    let deleted = control.delete_volume(volumes[0].id).unwrap();
    let (at, purge) = (deleted.delete_time.unwrap(), deleted.purge_time.unwrap());
    assert_eq!(purge.0.0 - at.0.0, 8 * 3600);
    world.clock.advance(Duration::from_secs(8 * 3600 - 1));
    control.tend().unwrap();
    assert_eq!(world.host.disks().len(), 2);
    world.clock.advance(Duration::from_secs(61));
    control.tend().unwrap();
    assert_eq!(world.host.disks().into_keys().collect::<Vec<_>>(), [volumes[1].uuid]);
    refused(control.purge_volume(volumes[0].id), ErrorName::VolumeDoesNotExist);
    assert!(messages(&control).contains(&"Volume 1 was purged.".to_owned()));
}

#[test]
fn a_purge_that_the_power_cuts_is_ended_by_the_next_start() {
    let mut steps = 0;
    loop {
        let world = World::new();
        let (control, _) = world.with_provider();
        let volume = create_volumes(&control, 1).remove(0);
        control.delete_volume(volume.id).unwrap();
        world.clock.advance(Duration::from_secs(8 * 3600));
        world.plug.used();
        world.plug.cut_after(steps);
        let outcome = control.tend();
        world.plug.repair();
        let is_whole = outcome.is_ok() && world.plug.used() < steps;
        let control = world.reboot();
        let listed = control.volumes(&ListVolumes::default()).unwrap();
        // Whole, or erased: never without its keys and still shown.
        assert_eq!(listed.len(), world.host.disks().len(), "cut after {steps} steps");
        world.clock.advance(Duration::from_secs(61));
        control.tend().unwrap();
        assert!(world.host.disks().is_empty() && control.volumes(&ListVolumes::default()).unwrap().is_empty());
        if is_whole {
            return assert!(steps > 3, "{steps}");
        }
        steps += 1;
    }
}

#[test]
fn what_volumes_did_is_recorded_each_minute_and_counted_once() {
    let world = World::new();
    let (control, _) = world.with_provider();
    let volumes = create_volumes(&control, 2);
    let reads = |control: &ekm_bridge::cluster::ClusterControl| {
        control.all_volume_stats(None).unwrap().iter().map(|stats| stats.read_ops).collect::<Vec<_>>()
    };
    control.tend().unwrap();
    world.host.work(volumes[0].uuid, 3);
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(61));
        control.tend().unwrap();
        assert_eq!(reads(&control), [3, 0]);
    }
    // What was done since the last record goes with the power, and nothing else does.
    world.host.work(volumes[0].uuid, 4);
    assert_eq!(reads(&control), [7, 0]);
    let control = world.reboot();
    assert_eq!(reads(&control), [3, 0]);
    world.host.work(volumes[0].uuid, 5);
    world.clock.advance(Duration::from_secs(61));
    control.tend().unwrap();
    world.host.work(volumes[0].uuid, 1);
    control.delete_volume(volumes[0].id).unwrap();
    assert_eq!(reads(&control), [9, 0]);
}
