//! The ledger: what keeps an old key, what ends it, and what is told of both.

use std::path::PathBuf;
use std::time::Duration;

use ekm_bridge::cluster::{ClusterControl, Decommission};
use ekm_bridge::provider::ErrorKind;
use ekm_bridge::rpc::ErrorName;
use ekm_bridge::rpc::control::{Faults, HeaderBackups, KeyProviders, Ledger, Volumes};
use ekm_bridge::rpc::types::faults::ListFaults;
use ekm_bridge::rpc::types::key_providers::AddKeyServer;
use ekm_bridge::rpc::types::ledger::{DecommissionKey, KeyState};
use keywrap::keys::KeyId;

use crate::rig::{World, create_volumes, in_force, in_ledger, is_done, later, refused, rekey};

const HOUR: Duration = Duration::from_secs(3600);

fn order(key: KeyId, lose: Option<&[String]>) -> DecommissionKey {
    DecommissionKey { key: key.0, force: lose.map(|_| true), dependants: lose.map(<[String]>::to_vec) }
}

fn state(control: &ClusterControl, key: KeyId) -> KeyState {
    in_ledger(control, key).state
}

#[test]
fn a_volume_that_is_away_keeps_the_old_key_until_it_is_back_and_wrapped_anew() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    let volumes = create_volumes(&control, 3);
    assert!(is_done(&rekey(&control, Some(provider))));
    let old = in_force(&control);
    world.host.set_away(volumes[1].uuid, true);
    assert!(is_done(&rekey(&control, Some(provider))));
    for _ in 0..5 {
        later(&world, &control, HOUR);
    }
    let known = in_ledger(&control, old);
    assert_eq!((known.state, known.dependants), (KeyState::ToDecommission, 1));
    assert!(known.dependant_names[0].contains("away"), "{known:?}");
    assert_eq!(known.waits_for.as_deref(), Some("headers that depend on it"));
    assert_eq!(world.contact.at("vault").keys().len(), 2);

    let control = world.reboot();
    world.host.set_away(volumes[1].uuid, false);
    later(&world, &control, HOUR);
    later(&world, &control, HOUR);
    assert_eq!(world.host.disks()[&volumes[1].uuid].1, [in_force(&control)]);
    assert_eq!(state(&control, old), KeyState::Destroyed);
    assert_eq!(world.contact.at("vault").keys(), [in_force(&control)]);
}

#[test]
fn a_key_waits_for_its_hold_time() {
    let mut world = World::new();
    world.decommission = Decommission::After(HOUR * 48);
    let (control, provider) = world.with_provider();
    create_volumes(&control, 2);
    let old = in_force(&control);
    assert!(is_done(&rekey(&control, Some(provider))));
    later(&world, &control, HOUR * 47);
    assert_eq!(state(&control, old), KeyState::ToDecommission);
    later(&world, &control, HOUR);
    assert_eq!(state(&control, old), KeyState::Destroyed);
}

#[test]
fn a_key_waits_for_the_word_of_an_administrator_who_is_in_its_report() {
    let mut world = World::new();
    world.decommission = Decommission::ByWord;
    let (control, provider) = world.with_provider();
    create_volumes(&control, 2);
    let old = in_force(&control);
    assert!(is_done(&rekey(&control, Some(provider))));
    later(&world, &control, HOUR * 1000);
    assert_eq!(in_ledger(&control, old).waits_for.as_deref(), Some("the word of an administrator"));
    refused(control.decommission_key(&order(in_force(&control), None), "eva"), ErrorName::MasterKeyInUse);
    refused(control.decommission_key(&order(KeyId::random(), None), "eva"), ErrorName::MasterKeyDoesNotExist);
    control.decommission_key(&order(old, None), "eva").unwrap();
    assert_eq!(state(&control, old), KeyState::Destroyed);
    control.decommission_key(&order(old, None), "eva").unwrap();
    let report = control.master_key_report(old.0).unwrap();
    assert_eq!(report.word.as_ref().map(|word| (word.by.as_str(), word.is_forced)), Some(("eva", false)));
    let states: Vec<KeyState> = report.states.iter().map(|step| step.state).collect();
    assert_eq!(states, [KeyState::Active, KeyState::ToDecommission, KeyState::Destroyed]);
    let proof = report.proof.unwrap();
    assert_eq!((proof.headers, proof.key_in_force), (2, in_force(&control).0));
    assert!(proof.readings.iter().all(|reading| reading.keys == [in_force(&control).0] && !reading.is_earlier));
    assert!(proof.given_out_by[0].contains("vault"), "{proof:?}");
    let counts: Vec<usize> = report.dependants_over_time.iter().map(|sample| sample.count).collect();
    assert_eq!(counts.last(), Some(&0), "{counts:?}");
}

#[test]
fn a_forced_end_needs_the_names_of_what_is_lost_and_says_later_who_did_it() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    let volumes = create_volumes(&control, 2);
    assert!(is_done(&rekey(&control, Some(provider))));
    let old = in_force(&control);
    world.host.set_away(volumes[0].uuid, true);
    assert!(is_done(&rekey(&control, Some(provider))));
    let name = format!("volume {}", volumes[0].id);
    let message = refused(control.decommission_key(&order(old, None), "eva"), ErrorName::MasterKeyInUse);
    assert!(message.contains(&name), "{message}");
    for wrong in [&[][..], &["volume 77".to_owned()], &[name.clone(), "volume 77".to_owned()]] {
        refused(control.decommission_key(&order(old, Some(wrong)), "eva"), ErrorName::InvalidParameter);
    }
    assert_eq!(world.contact.at("vault").keys().len(), 2);
    control.decommission_key(&order(old, Some(&[name])), "eva").unwrap();
    assert_eq!(state(&control, old), KeyState::Destroyed);
    assert_eq!(world.contact.at("vault").keys(), [in_force(&control)]);

    world.host.set_away(volumes[0].uuid, false);
    let control = world.reboot();
    let faults = control.faults(ListFaults::default()).unwrap();
    let offline = faults.iter().find(|fault| fault.code == "volumesOffline" && !fault.resolved).unwrap();
    let told = [old.to_string(), "by order of eva".into(), "was destroyed at 2023-".into()];
    assert!(told.iter().all(|words| offline.details.contains(words)), "{}", offline.details);
    assert_eq!(world.host.open_volumes().len(), 1);
}

#[test]
fn an_old_copy_of_a_header_is_wrapped_anew_while_its_key_lasts_and_worth_nothing_after_that() {
    let mut world = World::new();
    world.decommission = Decommission::After(HOUR * 48);
    let (control, provider) = world.with_provider();
    let volume = create_volumes(&control, 1).remove(0);
    let old = in_force(&control);
    let copy = world.host.copy_header(volume.uuid);
    assert!(is_done(&rekey(&control, Some(provider))));

    world.host.put_header(volume.uuid, copy.clone());
    let control = world.reboot();
    assert_eq!(world.host.open_volumes().len(), 1);
    assert_eq!(in_ledger(&control, old).dependants, 1, "the ledger has noticed");
    later(&world, &control, HOUR);
    assert_eq!(world.host.disks()[&volume.uuid].1, [in_force(&control)]);
    later(&world, &control, HOUR * 48);
    assert_eq!(state(&control, old), KeyState::Destroyed);

    world.host.put_header(volume.uuid, copy);
    drop(world.reboot());
    assert!(world.host.open_volumes().is_empty());
}

#[test]
fn a_copy_that_comes_back_between_the_proof_and_the_end_stops_it() {
    let mut world = World::new();
    world.decommission = Decommission::After(HOUR * 48);
    let (control, provider) = world.with_provider();
    let volume = create_volumes(&control, 1).remove(0);
    let old = in_force(&control);
    let copy = world.host.copy_header(volume.uuid);
    assert!(is_done(&rekey(&control, Some(provider))));
    world.host.put_header(volume.uuid, copy);
    // Nobody opened it: only the proof reads it.
    later(&world, &control, HOUR * 48);
    assert_ne!(state(&control, old), KeyState::Destroyed);
    later(&world, &control, HOUR);
    later(&world, &control, HOUR);
    assert_eq!(world.host.disks()[&volume.uuid].1, [in_force(&control)]);
    assert_eq!(state(&control, old), KeyState::Destroyed);
}

#[test]
fn a_key_ends_only_when_every_server_has_the_new_one_and_has_ended_the_old_one() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    world.add_server(&control, provider, "second");
    create_volumes(&control, 2);
    assert!(is_done(&rekey(&control, Some(provider))));
    let old = in_force(&control);
    world.contact.at("second").fail(ErrorKind::Unreachable);
    assert!(is_done(&rekey(&control, Some(provider))), "one copy is enough to go on");
    later(&world, &control, HOUR);
    assert_eq!(state(&control, old), KeyState::ToDecommission, "the second does not have the new key");
    assert!(world.contact.at("vault").ended().is_empty());
    world.contact.at("second").fail(None);
    later(&world, &control, HOUR);
    later(&world, &control, HOUR);
    assert_eq!(state(&control, old), KeyState::Destroyed);
    for server in ["vault", "second"] {
        assert_eq!(world.contact.at(server).keys(), [in_force(&control)]);
        assert_eq!(world.contact.at(server).ended(), [("revoked", old), ("destroyed", old)]);
    }
}

#[test]
fn a_server_that_left_with_a_copy_is_in_the_report() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    let second = world.add_server(&control, provider, "second");
    create_volumes(&control, 1);
    assert!(is_done(&rekey(&control, Some(provider))));
    let old = in_force(&control);
    control.remove_key_server(second).unwrap();
    assert!(is_done(&rekey(&control, Some(provider))));
    let report = control.master_key_report(old.0).unwrap();
    assert_eq!(report.state, KeyState::Destroyed);
    assert!(report.copies_left[0].contains("second"), "{report:?}");

    assert_eq!(world.contact.at("second").keys(), [old]);
    control.add_key_server(AddKeyServer { provider, server: second }).unwrap();
    for server in ["vault", "second"] {
        assert_eq!(world.contact.at(server).keys(), [in_force(&control)], "a destroyed key comes back to nobody");
    }
}

#[test]
fn backups_follow_a_rekey_and_one_that_is_away_keeps_the_old_key() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    let volumes = create_volumes(&control, 2);
    let old = in_force(&control);
    let kept = control.create_header_backup(volumes[0].id).unwrap();
    let moved = control.create_header_backup(volumes[1].id).unwrap();
    assert_eq!(control.header_backups(Some(volumes[0].id)).unwrap(), std::slice::from_ref(&kept));
    assert_eq!(world.host.backups().len(), 2);
    world.host.remove_backup(&PathBuf::from(&moved.path));
    assert!(is_done(&rekey(&control, Some(provider))));
    let new = in_force(&control);
    assert_eq!(world.host.backups(), [(volumes[0].uuid, vec![new])]);
    let known = in_ledger(&control, old);
    assert_eq!((known.state, known.dependants), (KeyState::ToDecommission, 1));
    assert!(known.dependant_names[0].starts_with(&format!("backup {}", moved.path)), "{known:?}");

    let message = refused(control.delete_header_backup(moved.id, false), ErrorName::VolumeUnavailable);
    assert!(message.contains("isGone"), "{message}");
    control.delete_header_backup(moved.id, true).unwrap();
    refused(control.delete_header_backup(moved.id, true), ErrorName::DbNoSuchPath);
    later(&world, &control, HOUR);
    assert_eq!(state(&control, old), KeyState::Destroyed);
    control.delete_header_backup(kept.id, false).unwrap();
    assert!(world.host.backups().is_empty() && control.header_backups(None).unwrap().is_empty());
}

#[test]
fn a_purge_takes_the_backups_of_its_volume_along() {
    let world = World::new();
    let (control, _) = world.with_provider();
    let volume = create_volumes(&control, 1).remove(0);
    control.create_header_backup(volume.id).unwrap();
    control.delete_volume(volume.id).unwrap();
    control.purge_volume(volume.id).unwrap();
    assert!(world.host.backups().is_empty() && control.header_backups(None).unwrap().is_empty());
    assert_eq!(in_ledger(&control, in_force(&control)).dependants, 0);
}

#[test]
fn a_backup_that_was_being_made_when_the_power_failed_is_taken_away() {
    for cut in 0..4 {
        let world = World::new();
        let (control, _) = world.with_provider();
        let volume = create_volumes(&control, 1).remove(0);
        world.plug.cut_after(cut);
        let made = control.create_header_backup(volume.id);
        let control = world.reboot();
        let known = control.header_backups(None).unwrap();
        assert_eq!(known.len(), world.host.backups().len(), "cut after {cut}");
        assert!(made.is_err() || known.len() == 1, "cut after {cut}");
        let in_force = in_force(&control);
        assert_eq!(in_ledger(&control, in_force).dependants, 1 + known.len(), "cut after {cut}");
    }
}
