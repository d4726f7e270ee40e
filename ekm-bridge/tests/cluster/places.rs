//! Volumes at places of their own, and those that the node had before its cluster.

use std::collections::BTreeSet;
use std::time::Duration;

use ekm_bridge::cluster::ClusterControl;
use ekm_bridge::provider::KeyProvider;
use ekm_bridge::records::{Header, Site, Volume, VolumeRecord, VolumeStatus};
use ekm_bridge::rpc::ErrorName;
use ekm_bridge::rpc::control::{HeaderBackups, Ledger, Places, Volumes};
use ekm_bridge::rpc::types::VolumeId;
use ekm_bridge::rpc::types::ledger::KeyState;
use ekm_bridge::rpc::types::places::{AdoptVolume, CreateVolumeAt, PlacedVolume, RestoreHeader, SecretBase64};
use ekm_bridge::rpc::types::volumes::ListVolumes;
use ekm_bridge::time::UnixSeconds;
use ekm_bridge::{VolumeRegistry, rpc::ApiError};
use keywrap::keys::KeyId;
use serde_json::json;
use uuid::Uuid;

use crate::rig::places::{PASSPHRASE, site};
use crate::rig::{World, create_cluster, current_faults, in_force, in_ledger, later, refused, rekey};

const SIZE: u64 = 3 << 30;

/// What brings a volume to a place.
type Act = fn(&ClusterControl) -> Result<PlacedVolume, ApiError>;

fn create(control: &ClusterControl, path: &str) -> Result<PlacedVolume, ApiError> {
    let new: CreateVolumeAt = serde_json::from_value(json!({"name": "new", "path": path, "totalSize": SIZE})).unwrap();
    control.create_volume_at(new)
}

fn adopt(control: &ClusterControl, path: &str, passphrase: Option<&[u8]>) -> Result<PlacedVolume, ApiError> {
    let passphrase = passphrase.map(SecretBase64::of);
    let order: AdoptVolume =
        serde_json::from_value(json!({"name": "old", "path": path, "passphrase": passphrase})).unwrap();
    control.adopt_volume(order)
}

fn records(world: &World) -> Vec<Volume> {
    world.records().table().list().unwrap()
}

fn headers(world: &World) -> Vec<Header> {
    world.records().table().list().unwrap()
}

/// Whatever the header at a place names is on record, and whatever is on record is told to the data path.
fn check_records(world: &World) {
    let (disks, headers) = (world.host.disks(), headers(world));
    for volume in records(world) {
        assert_eq!(world.host.told(volume.uuid), volume.site);
        let header = headers.iter().find(|header| header.id == volume.uuid).unwrap();
        let named: BTreeSet<KeyId> =
            disks.get(&volume.uuid).map(|(_, keys)| keys.clone()).into_iter().flatten().collect();
        assert!(named.is_subset(&header.keys), "{named:?} {header:?}");
    }
}

#[test]
fn a_volume_is_made_at_a_path_and_lives_and_dies_as_any_other() {
    let world = World::new();
    let control = world.boot();
    create_cluster(&control);
    let made = create(&control, "/srv/disk").unwrap();
    assert_eq!((made.path.as_str(), made.total_size, made.is_open), ("/srv/disk", SIZE, true));
    assert_eq!(made.uris, ["nbd://model/new.1"]);
    assert_eq!(control.volumes(&ListVolumes::default()).unwrap()[0].total_size, SIZE, "not rounded");
    assert!(refused(create(&control, "/srv/disk"), ErrorName::PlaceOccupied).contains("something is there"));
    refused(create(&control, "relative"), ErrorName::InvalidParameter);
    assert_eq!(records(&world).len(), 1, "nothing is left of what was refused");

    let old = in_force(&control);
    rekey(&control, None);
    assert_eq!(world.host.disks()[&made.uuid].1, [in_force(&control)]);
    assert_eq!(in_ledger(&control, old).state, KeyState::Destroyed);
    let control = world.reboot();
    assert!(control.volume_places().unwrap()[0].is_open);
    check_records(&world);

    world.host.set_away(made.uuid, true);
    control.delete_volume(made.id).unwrap();
    let error = refused(control.purge_volume(made.id), ErrorName::VolumeUnavailable);
    assert!(error.contains("away"), "{error}");
    world.host.set_away(made.uuid, false);
    control.purge_volume(made.id).unwrap();
    assert_eq!((records(&world), headers(&world), world.host.lies("/srv/disk")), (vec![], vec![], None));
}

#[test]
fn a_volume_is_adopted_with_its_passphrase_or_without_when_a_key_is_here() {
    let world = World::new();
    let control = world.boot();
    create_cluster(&control);
    let uuid = Uuid::new_v4();
    world.host.lay(&site("/srv/old"), uuid, SIZE, &[]);
    assert!(refused(adopt(&control, "/srv/old", None), ErrorName::KeyUnavailable).contains("passphrase"));
    refused(adopt(&control, "/srv/old", Some(b"wrong")), ErrorName::PassphraseWrong);
    refused(adopt(&control, "/srv/none", None), ErrorName::VolumeUnavailable);
    assert_eq!((records(&world).len(), world.host.lies("/srv/old")), (0, Some(uuid)), "and it is still there");
    let adopted = adopt(&control, "/srv/old", Some(PASSPHRASE)).unwrap();
    assert_eq!((adopted.uuid, adopted.total_size, adopted.is_open), (uuid, SIZE, true));
    assert_eq!(adopt(&control, "/srv/old", None).unwrap(), adopted, "again, nothing changes");
    // A copy has the same UUID.
    let copy = world.host.copy_header(uuid);
    world.host.lay(&site("/srv/copy"), uuid, SIZE, &copy.into_iter().collect::<Vec<_>>());
    refused(adopt(&control, "/srv/copy", Some(PASSPHRASE)), ErrorName::PlaceOccupied);
    check_records(&world);
}

#[test]
fn a_volume_that_was_moved_is_found_again_by_hand_or_by_the_registry_and_a_copy_is_not() {
    let world = World::new();
    let control = world.boot();
    create_cluster(&control);
    let made = create(&control, "/srv/disk").unwrap();
    world.host.carry("/srv/disk", "/mnt/disk");
    let found = adopt(&control, "/mnt/disk", None).unwrap();
    assert_eq!((found.id, found.path.as_str(), found.is_open), (made.id, "/mnt/disk", true));
    world.host.carry("/mnt/disk", "/mnt/again");
    let record = VolumeRecord {
        uuid: made.uuid,
        path: "/mnt/again".into(),
        header: None,
        key_id: in_force(&control),
        created: UnixSeconds(5),
        last_opened: None,
        export: None,
    };
    VolumeRegistry::new(world.store().as_ref()).record(&record).unwrap();
    drop(control);
    let control = world.reboot();
    let places = control.volume_places().unwrap();
    assert_eq!((places.len(), places[0].path.as_str(), places[0].is_open), (1, "/mnt/again", true));
    control.delete_volume(made.id).unwrap();
    let error = refused(adopt(&control, "/mnt/again", None), ErrorName::PlaceOccupied);
    assert!(error.contains("not purged yet"), "{error}");
}

#[test]
fn a_header_that_comes_back_is_on_record_before_and_follows_to_the_key_in_force() {
    let world = World::new();
    let control = world.boot();
    create_cluster(&control);
    let made = create(&control, "/srv/disk").unwrap();
    let backup = control.create_header_backup(made.id).unwrap();
    rekey(&control, None);
    let order: RestoreHeader = serde_json::from_value(json!({"volumeID": made.id, "path": backup.path})).unwrap();
    let restored = control.restore_header(&order).unwrap();
    assert!(restored.is_open);
    check_records(&world);
    later(&world, &control, Duration::from_secs(10));
    assert_eq!(world.host.disks()[&made.uuid].1, [in_force(&control)]);
}

#[test]
fn a_power_cut_at_any_step_of_making_or_adopting_leaves_a_whole_volume_or_none() {
    let uuid = Uuid::new_v4();
    let prepared = || {
        let world = World::new();
        create_cluster(&world.boot());
        world.host.lay(&site("/srv/old"), uuid, SIZE, &[]);
        let control = world.reboot();
        world.plug.used();
        world.plug.names();
        (world, control)
    };
    let acts: [Act; 2] =
        [|control| create(control, "/srv/disk"), |control| adopt(control, "/srv/old", Some(PASSPHRASE))];
    for act in acts {
        let (world, control) = prepared();
        act(&control).unwrap();
        let steps = u64::try_from(world.plug.names().len()).unwrap();
        assert!(steps >= 4, "{steps}");
        for cut in 0..steps {
            let (world, control) = prepared();
            world.plug.cut_after(cut);
            let done = act(&control).is_ok();
            drop(control);
            let control = world.reboot();
            check_records(&world);
            let known = control.volume_places().unwrap();
            assert!(known.len() == 1 || (known.is_empty() && !done), "cut {cut}: {known:?}");
            assert!(known.iter().all(|volume| volume.is_open), "cut {cut}: {:?}", current_faults(&control, ""));
            assert_eq!(records(&world).len(), known.len(), "cut {cut}");
            assert_eq!(world.host.lies("/srv/old"), Some(uuid), "cut {cut}: nothing is erased at a place");
            if known.is_empty() {
                act(&control).unwrap();
            }
        }
    }
}

/// A node whose `sear up` has made two volumes, one of them away, with a key of its own.
fn node(world: &World) -> (KeyId, [Uuid; 2]) {
    let internal = world.internal();
    let (key, master) = internal.current_key().unwrap();
    let uuids = [Uuid::new_v4(), Uuid::new_v4()];
    for (uuid, path) in uuids.iter().zip(["/srv/one", "/srv/two"]) {
        world.host.lay(&site(path), *uuid, SIZE, &[(key, *master.0.expose_secret())]);
        let record = VolumeRecord {
            uuid: *uuid,
            path: path.into(),
            header: None,
            key_id: key,
            created: UnixSeconds(5),
            last_opened: None,
            export: Some("up".into()),
        };
        VolumeRegistry::new(world.store().as_ref()).record(&record).unwrap();
    }
    world.host.set_away(uuids[1], true);
    (key, uuids)
}

#[test]
fn what_a_node_had_before_its_cluster_is_taken_over_and_its_key_ends_when_nothing_needs_it() {
    let world = World::new();
    let (key, uuids) = node(&world);
    let control = world.boot();
    refused(control.volume_places(), ErrorName::ClusterDoesNotExist);
    create_cluster(&control);
    let control = world.reboot();
    let places = control.volume_places().unwrap();
    assert_eq!(places.iter().map(|place| place.uuid).collect::<BTreeSet<_>>(), uuids.into());
    assert_eq!(places.iter().filter(|place| place.is_open).count(), 1);
    assert_eq!(in_ledger(&control, key).state, KeyState::ToDecommission);
    check_records(&world);

    for _ in 0..3 {
        later(&world, &control, Duration::from_secs(400));
    }
    assert_eq!(world.host.disks()[&uuids[0]].1, [in_force(&control)], "the one that is here follows by itself");
    assert_eq!(in_ledger(&control, key).state, KeyState::ToDecommission, "the one that is away needs its key");
    world.internal().key(key).unwrap();
    let old = in_force(&control);
    rekey(&control, None);
    assert_eq!(
        in_ledger(&control, old).state,
        KeyState::ToDecommission,
        "it may be that key's by now, as far as is known"
    );

    world.host.set_away(uuids[1], false);
    let control = world.reboot();
    for _ in 0..4 {
        later(&world, &control, Duration::from_secs(400));
    }
    assert_eq!(world.host.disks()[&uuids[1]].1, [in_force(&control)]);
    assert_eq!(control.volumes(&ListVolumes::default()).unwrap()[1].total_size, SIZE, "its size is known now");
    for ended in [key, old] {
        assert_eq!(in_ledger(&control, ended).state, KeyState::Destroyed);
    }
    assert!(control.master_key_report(key.0).unwrap().proof.is_some());
    assert!(world.internal().key(key).is_err());
}

#[test]
fn taking_over_is_done_once_whenever_the_power_fails_and_a_purged_volume_does_not_come_back() {
    let steps = {
        let world = World::new();
        node(&world);
        let control = world.boot();
        world.plug.names();
        create_cluster(&control);
        u64::try_from(world.plug.names().len()).unwrap()
    };
    for cut in 0..=steps {
        let world = World::new();
        let (key, uuids) = node(&world);
        let control = world.boot();
        world.plug.cut_after(cut);
        let made = ekm_bridge::rpc::control::Cluster::create_cluster(control.as_ref(), crate::rig::new_cluster());
        drop(control);
        let control = world.reboot();
        if made.is_err() && !ekm_bridge::rpc::control::Cluster::cluster_exists(control.as_ref()).unwrap() {
            continue;
        }
        check_records(&world);
        assert_eq!(records(&world).len(), 2, "cut {cut}");
        assert_ne!(in_ledger(&control, key).state, KeyState::Destroyed);
        // Once more, and nothing changes.
        let before = records(&world);
        let control = {
            drop(control);
            world.reboot()
        };
        assert_eq!(records(&world), before);
        let id = before.iter().find(|volume| volume.uuid == uuids[0]).map(|volume| VolumeId(volume.id.0)).unwrap();
        control.delete_volume(id).unwrap();
        control.purge_volume(id).unwrap();
        drop(control);
        world.reboot();
        assert!(records(&world).iter().all(|volume| volume.uuid != uuids[0] && volume.status == VolumeStatus::Active));
    }
}

#[test]
fn an_old_record_without_a_site_is_read() {
    let world = World::new();
    let control = world.boot();
    create_cluster(&control);
    let made = crate::rig::create_volumes(&control, 1);
    let text = serde_json::to_string(&records(&world)[0]).unwrap();
    assert!(!text.contains("site"), "{text}");
    assert_eq!(control.volume_places().unwrap()[0].uuid, made[0].uuid);
    let site: Site = serde_json::from_value(json!({"data": "/a"})).unwrap();
    assert!(site.overlaps(&Site { data: "/b".into(), header: Some("/a".into()) }));
}
