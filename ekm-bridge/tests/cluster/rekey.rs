//! Rekeys: every transition, failures, and what they leave behind.

use ekm_bridge::provider::ErrorKind;
use ekm_bridge::records::{MasterKeyRecord, MasterKeyState};
use ekm_bridge::rpc::control::{AsyncResults, SoftwareEncryption, Volumes};
use ekm_bridge::rpc::types::async_results::AsyncOutcome;
use ekm_bridge::rpc::types::sear::{KeyManagement, RekeyMasterKey};
use serde_json::json;

use crate::rig::{World, begin_rekey, create_volumes, current_faults, is_done, rekey};

#[test]
fn every_transition_works_and_old_keys_are_kept() {
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
    let kept = ledger.iter().filter(|key| key.state == MasterKeyState::ToDecommission).count();
    assert_eq!((ledger.len(), kept), (7, 6), "nothing is revoked or destroyed");
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
    assert_eq!(world.contact.at("vault").keys().len(), 2);
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
    let AsyncOutcome::Error(error) = rekey(&control, Some(provider)).outcome else { panic!("something is left") };
    assert!(error.message.contains("1 volumes still depend"), "{}", error.message);
    let new = control.sear_info().unwrap().master_key_info.unwrap().id.unwrap();
    let disks = world.host.disks();
    let on_new = disks.values().filter(|(_, keys)| keys.iter().all(|key| key.0 == new)).count();
    assert_eq!((on_new, disks[&deleted.uuid].1[0].0), (5, new), "deleted ones too");
    assert_eq!(current_faults(&control, "rekeyIncomplete").len(), 1);

    world.host.set_stuck(volumes[2].uuid, false);
    let result = rekey(&control, None);
    let AsyncOutcome::Result(result) = result.outcome else { panic!("it is done") };
    assert_eq!(result["state"], json!("Ready"));
    assert!(current_faults(&control, "rekeyIncomplete").is_empty());
    let last = control.sear_info().unwrap().master_key_info.unwrap().id.unwrap();
    assert!(world.host.disks().values().all(|(_, keys)| keys.len() == 1 && keys[0].0 == last));
}
