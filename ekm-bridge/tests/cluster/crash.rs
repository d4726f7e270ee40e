//! The power fails after each durable step of the store or the data path. After the next start everything is as before or
//! as asked for, and what was begun comes to its end.

use ekm_bridge::cluster::ClusterControl;
use ekm_bridge::provider::ErrorKind;
use ekm_bridge::rpc::control::{Cluster, SoftwareEncryption, Volumes};
use ekm_bridge::rpc::types::async_results::AsyncStatus;
use ekm_bridge::rpc::types::volumes::{ListVolumes, ModifyVolume, VolumeStatus};

use crate::rig::{GB, World, begin_rekey, create_cluster, create_volumes, is_done, new_cluster, new_volume, rekey};
use crate::volumes::modify;

/// Steps that `act` takes when nothing fails.
fn steps_of(prepare: impl Fn(&World), act: impl Fn(&World)) -> u64 {
    let world = World::new();
    prepare(&world);
    world.plug.used();
    act(&world);
    world.plug.used()
}

/// Runs `act` with the power failing after each number of steps, and `check` after the next start.
fn after_every_step(prepare: impl Fn(&World), act: impl Fn(&World), check: impl Fn(&World, u64)) {
    let steps = steps_of(&prepare, &act);
    assert!(steps > 2, "{steps} steps");
    for cut in 0..steps {
        let world = World::new();
        prepare(&world);
        world.plug.cut_after(cut);
        act(&world);
        check(&world, cut);
    }
}

#[test]
fn a_cluster_is_made_or_not() {
    let act = |world: &World| drop(world.boot().create_cluster(new_cluster()));
    let steps = steps_of(|_| (), act);
    for cut in 0..steps {
        let world = World::new();
        world.plug.cut_after(cut);
        act(&world);
        let control = world.reboot();
        if !control.cluster_exists().unwrap() {
            create_cluster(&control);
        }
        create_volumes(&control, 1);
    }
}

#[test]
fn a_volume_is_made_or_not_and_nothing_is_left_of_it() {
    let prepare = |world: &World| create_cluster(&world.boot());
    let act = |world: &World| drop(world.boot().create_volume(new_volume("v")));
    after_every_step(prepare, act, |world, cut| {
        let control = world.reboot();
        let listed = control.volumes(&ListVolumes::default()).unwrap();
        assert!(listed.iter().all(|volume| volume.status == VolumeStatus::Active), "cut after {cut}");
        let (recorded, real): (Vec<_>, Vec<_>) =
            (listed.iter().map(|volume| volume.uuid).collect(), world.host.disks().into_keys().collect());
        assert_eq!(recorded, real, "cut after {cut}");
        assert_eq!(world.host.open_volumes().len(), real.len(), "cut after {cut}");
    });
}

#[test]
fn a_volume_grows_as_a_whole_or_not() {
    let prepare = |world: &World| {
        let control = world.boot();
        create_cluster(&control);
        create_volumes(&control, 1);
    };
    let change = |control: &ClusterControl| {
        let id = control.volumes(&ListVolumes::default()).unwrap().remove(0).id;
        let attributes = serde_json::Map::from_iter([("a".to_owned(), "b".into())]);
        ModifyVolume { total_size: Some(2 * GB), attributes: Some(attributes), ..modify(id) }
    };
    let act = |world: &World| {
        let control = world.boot();
        drop(control.modify_volume(change(&control)));
    };
    after_every_step(prepare, act, |world, cut| {
        let control = world.reboot();
        let volume = control.volumes(&ListVolumes::default()).unwrap().remove(0);
        let real = world.host.disks().into_values().next().unwrap().0;
        assert_eq!(volume.total_size, real, "cut after {cut}");
        assert_eq!(volume.attributes.is_empty(), real < 2 * GB, "cut after {cut}");
    });
}

#[test]
fn a_purge_is_begun_or_not_and_once_begun_is_ended() {
    let prepare = |world: &World| {
        let control = world.boot();
        create_cluster(&control);
        let volume = create_volumes(&control, 1).remove(0);
        control.delete_volume(volume.id).unwrap();
    };
    let act = |world: &World| {
        let control = world.boot();
        let volume = control.volumes(&ListVolumes::default()).unwrap().remove(0);
        drop(control.purge_volume(volume.id));
    };
    after_every_step(prepare, act, |world, cut| {
        let control = world.reboot();
        let listed = control.volumes(&ListVolumes::default()).unwrap().len();
        assert_eq!(listed, world.host.disks().len(), "cut after {cut}");
        assert_eq!(listed == 1, cut == 0, "only the first step decides");
    });
}

#[test]
fn a_rekey_that_is_interrupted_anywhere_comes_to_its_end() {
    let prepare = |world: &World| {
        let (control, _) = world.with_provider();
        create_volumes(&control, 3);
    };
    let provider = ekm_bridge::rpc::types::KeyProviderId(1);
    let act = |world: &World| {
        let control = world.boot();
        if begin_rekey(&control, Some(provider)).is_ok() {
            drop(control.drive_rekey());
        }
    };
    after_every_step(prepare, act, |world, cut| {
        let control = world.reboot();
        assert_eq!(world.host.open_volumes().len(), 3, "cut after {cut}: every volume opens");
        let had_begun = control.sear_info().unwrap().rekey.is_some();
        control.drive_rekey().unwrap();
        let info = control.sear_info().unwrap();
        let key = info.master_key_info.unwrap();
        assert_eq!(key.provider.is_some(), had_begun, "cut after {cut}");
        if let Some(handle) = info.rekey {
            let result = ekm_bridge::rpc::control::AsyncResults::async_result(control.as_ref(), handle, true).unwrap();
            assert!(is_done(&result), "cut after {cut}: {result:?}");
        }
        let is_on = |keys: &[keywrap::keys::KeyId]| keys.iter().map(|id| id.0).eq(key.id);
        assert!(world.host.disks().values().all(|(_, keys)| is_on(keys)), "cut after {cut}");
        assert!(
            world.contact.at("vault").keys().len() <= 2,
            "cut after {cut}: one key, or one in vain that is cleared"
        );
        assert!(is_done(&rekey(&control, None)), "cut after {cut}: the next one works");
    });
}

#[test]
fn a_rekey_whose_new_key_is_out_of_reach_after_a_restart_waits_for_it() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    create_volumes(&control, 2);
    let handle = begin_rekey(&control, Some(provider)).unwrap();
    // The intent, the key, and the transaction that puts it in force: then the power fails.
    world.plug.cut_after(3);
    assert!(control.drive_rekey().is_err());
    world.contact.at("vault").fail(ErrorKind::Unreachable);
    let control = world.reboot();
    assert!(control.drive_rekey().is_err());
    let result = ekm_bridge::rpc::control::AsyncResults::async_result(control.as_ref(), handle, true).unwrap();
    assert_eq!(result.status, AsyncStatus::Running);
    world.contact.at("vault").fail(None);
    control.drive_rekey().unwrap();
    assert!(is_done(&ekm_bridge::rpc::control::AsyncResults::async_result(control.as_ref(), handle, true).unwrap()));
}
