//! Rekeys: every transition, failures, and what they leave behind.

use std::time::Duration;

use ekm_bridge::provider::{ErrorKind, KeyInfo, KeyProvider};
use ekm_bridge::records::{MasterKeyRecord, MasterKeyState};
use ekm_bridge::rpc::ErrorName;
use ekm_bridge::rpc::control::{AsyncResults, SoftwareEncryption, Volumes};
use ekm_bridge::rpc::types::async_results::AsyncOutcome;
use ekm_bridge::rpc::types::ledger::KeyState;
use ekm_bridge::rpc::types::sear::{KeyManagement, RekeyMasterKey};
use serde_json::json;

use crate::rig::{
    World, begin_rekey, create_volumes, current_faults, in_force, in_ledger, is_done, later, refused, rekey,
};

#[test]
fn every_transition_works_and_old_keys_are_destroyed_once() {
    let world = World::new();
    let (control, first) = world.with_provider();
    let second = world.add_provider(&control);
    world.add_server(&control, second, "second");
    create_volumes(&control, 3);
    let mut keys = vec![control.sear_info().unwrap().master_key_info.unwrap().id.unwrap()];
    for to in [Some(first), Some(first), Some(second), None, None, Some(first)] {
        assert!(is_done(&rekey(&control, to)));
        keys.push(control.sear_info().unwrap().master_key_info.unwrap().id.unwrap());
    }
    keys.dedup();
    assert_eq!(keys.len(), 7, "each rekey makes a new key");
    assert_eq!(world.host.rewraps(), 18);
    let ledger: Vec<MasterKeyRecord> = world.records().table().list().unwrap();
    let gone = ledger.iter().filter(|key| key.state == MasterKeyState::Destroyed).count();
    assert_eq!((ledger.len(), gone), (7, 6));
    let internal: Vec<KeyInfo> = world.internal().list().unwrap();
    assert!(internal.is_empty(), "the last one is external: {internal:?}");
    assert_eq!(world.contact.at("vault").keys(), [in_force(&control)]);
    assert!(world.contact.at("second").keys().is_empty());
    for (server, keys) in [("vault", 2), ("second", 1)] {
        let ended = world.contact.at(server).ended();
        assert_eq!(ended.len(), keys * 2, "{ended:?}");
        assert!(
            ended.chunks(2).all(|pair| pair[0].1 == pair[1].1 && pair[0].0 == "revoked" && pair[1].0 == "destroyed")
        );
    }
}

#[test]
fn a_stop_in_the_middle_leaves_the_rest_for_the_next_start() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    create_volumes(&control, 3);
    control.start().unwrap().stop().unwrap();
    let handle = begin_rekey(&control, Some(provider)).unwrap();
    assert!(control.drive_rekey().is_err() && world.host.rewraps() == 0, "it was stopped");
    let control = world.reboot();
    control.drive_rekey().unwrap();
    assert!(is_done(&control.async_result(handle, false).unwrap()));
    assert_eq!(world.host.rewraps(), 3);
}

#[test]
fn without_a_type_the_key_management_stays() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    assert!(is_done(&rekey(&control, Some(provider))));
    control.rekey_master_key(RekeyMasterKey::default()).unwrap();
    control.drive_rekey().unwrap();
    let key = control.sear_info().unwrap().master_key_info.unwrap();
    assert_eq!((key.key_management_type, key.provider), (KeyManagement::External, Some(provider)));
    assert_eq!(world.contact.at("vault").keys(), [in_force(&control)], "the key before is destroyed");
}

#[test]
fn a_rekey_that_gets_no_key_fails_and_changes_nothing() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    create_volumes(&control, 2);
    let before = control.sear_info().unwrap().master_key_info;
    world.contact.at("vault").fail(ErrorKind::Unreachable);
    let AsyncOutcome::Error(error) = rekey(&control, Some(provider)).outcome else { panic!("it failed") };
    assert_eq!(error.name, "xKmipConnectionFailed");
    assert!(error.message.contains("vault"), "{}", error.message);
    assert_eq!((control.sear_info().unwrap().master_key_info, world.host.rewraps()), (before, 0));
    world.contact.at("vault").fail(None);
    assert!(is_done(&rekey(&control, Some(provider))), "the next one works");
}

#[test]
fn a_failing_volume_stops_no_other_and_is_brought_along_by_the_next_rekey() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    let volumes = create_volumes(&control, 6);
    let deleted = control.delete_volume(volumes[5].id).unwrap();
    world.host.set_stuck(volumes[2].uuid, true);
    let old = in_force(&control);
    let AsyncOutcome::Result(result) = rekey(&control, Some(provider)).outcome else {
        panic!("the new key is in force")
    };
    assert_eq!(result["leftBehind"], json!([format!("volume {}", volumes[2].id)]));
    let new = in_force(&control);
    let disks = world.host.disks();
    let on_new = disks.values().filter(|(_, keys)| *keys == [new]).count();
    assert_eq!((on_new, disks[&deleted.uuid].1[0]), (5, new), "deleted ones too");
    assert_eq!(current_faults(&control, "rekeyIncomplete").len(), 1);
    assert_eq!(in_ledger(&control, old).state, KeyState::ToDecommission);

    world.host.set_stuck(volumes[2].uuid, false);
    later(&world, &control, Duration::from_secs(10));
    assert!(current_faults(&control, "rekeyIncomplete").is_empty());
    assert!(world.host.disks().values().all(|(_, keys)| *keys == [new]), "it follows without another rekey");
    assert_eq!(in_ledger(&control, old).state, KeyState::Destroyed);
}

#[test]
fn the_same_request_gets_the_running_rekey_and_another_is_refused() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    let running = begin_rekey(&control, Some(provider)).unwrap();
    assert_eq!(begin_rekey(&control, Some(provider)).unwrap(), running);
    let message = refused(begin_rekey(&control, None), ErrorName::RekeyInProgress);
    assert!(message.contains(&format!("asyncHandle is {running}")), "{message}");
    control.drive_rekey().unwrap();
    assert_ne!(begin_rekey(&control, Some(provider)).unwrap(), running);
}
