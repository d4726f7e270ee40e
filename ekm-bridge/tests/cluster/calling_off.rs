//! Rekeys that are called off: before there is a key, before anything is wrapped by it, and too late.

use std::time::Duration;

use ekm_bridge::provider::ErrorKind;
use ekm_bridge::rpc::ErrorName;
use ekm_bridge::rpc::control::{AsyncResults, Ledger, SoftwareEncryption};
use ekm_bridge::rpc::types::async_results::AsyncOutcome;
use ekm_bridge::rpc::types::ledger::KeyState;

use crate::rig::{World, begin_rekey, create_volumes, in_force, in_ledger, is_done, later, refused, rekey};

fn outcome(control: &ekm_bridge::cluster::ClusterControl, handle: ekm_bridge::rpc::types::AsyncHandleId) -> String {
    match control.async_result(handle, true).unwrap().outcome {
        AsyncOutcome::Error(error) => error.name,
        other => format!("{other:?}"),
    }
}

#[test]
fn before_there_is_a_key_nothing_is_made() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    create_volumes(&control, 2);
    let old = in_force(&control);
    let handle = begin_rekey(&control, Some(provider)).unwrap();
    assert_eq!(control.cancel_rekey().unwrap(), handle);
    control.drive_rekey().unwrap();
    assert_eq!((in_force(&control), outcome(&control, handle).as_str()), (old, "xRekeyCancelled"));
    assert!(world.contact.at("vault").keys().is_empty());
    assert!(is_done(&rekey(&control, Some(provider))), "the next one works");
}

#[test]
fn a_key_that_nothing_is_wrapped_by_is_destroyed_and_the_old_one_comes_back() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    let volumes = create_volumes(&control, 2);
    let old = in_force(&control);
    let handle = begin_rekey(&control, Some(provider)).unwrap();
    // The intent, the key, and the transaction that puts it in force: then the power fails.
    world.plug.cut_after(3);
    assert!(control.drive_rekey().is_err());
    let control = world.reboot();
    let new = in_force(&control);
    assert_ne!(new, old);
    assert_eq!(control.cancel_rekey().unwrap(), handle);
    assert_eq!((in_force(&control), outcome(&control, handle).as_str()), (old, "xRekeyCancelled"));
    later(&world, &control, Duration::from_secs(1));
    assert_eq!(in_ledger(&control, new).state, KeyState::Destroyed, "no orphan is left");
    assert!(world.contact.at("vault").keys().is_empty());
    assert!(world.host.disks().values().all(|(_, keys)| *keys == [old]));
    assert_eq!(in_ledger(&control, old).dependants, volumes.len());
    assert!(is_done(&rekey(&control, None)));
}

#[test]
fn once_a_volume_is_wrapped_by_the_new_key_it_is_too_late() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    create_volumes(&control, 3);
    begin_rekey(&control, Some(provider)).unwrap();
    // And the first headers are announced.
    world.plug.cut_after(5);
    assert!(control.drive_rekey().is_err());
    let control = world.reboot();
    refused(control.cancel_rekey(), ErrorName::RekeyInProgress);
    control.drive_rekey().unwrap();
    refused(control.cancel_rekey(), ErrorName::DbNoSuchPath);
    assert_eq!(control.master_keys().unwrap().len(), 2);
}

#[test]
fn a_key_that_was_made_for_a_called_off_rekey_before_the_power_failed_is_found_and_destroyed() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    let handle = begin_rekey(&control, Some(provider)).unwrap();
    // The intent, and the key: nobody recorded that it is in force.
    world.plug.cut_after(2);
    assert!(control.drive_rekey().is_err());
    let control = world.reboot();
    assert_eq!(world.contact.at("vault").keys().len(), 1);
    control.cancel_rekey().unwrap();
    control.drive_rekey().unwrap();
    assert_eq!(outcome(&control, handle), "xRekeyCancelled");
    later(&world, &control, Duration::from_secs(1));
    assert!(world.contact.at("vault").keys().is_empty());
}

#[test]
fn a_key_whose_making_failed_is_cleared_away_although_its_provider_never_had_one() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    world.add_server(&control, provider, "second");
    begin_rekey(&control, Some(provider)).unwrap();
    // The intent, and then not even that the key is known.
    world.plug.cut_after(1);
    assert!(control.drive_rekey().is_err());
    let control = world.reboot();
    control.cancel_rekey().unwrap();
    control.drive_rekey().unwrap();
    world.contact.at("second").fail(ErrorKind::Unreachable);
    later(&world, &control, Duration::from_secs(3600));
    assert!(world.contact.at("vault").keys().is_empty(), "one server at a time");
    world.contact.at("second").fail(None);
    later(&world, &control, Duration::from_secs(3600));
    assert!(world.contact.at("second").keys().is_empty());
}
