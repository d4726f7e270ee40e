//! Keys that grow old, and keys that a key manager has ended by itself.

use std::time::Duration;

use ekm_bridge::provider::ErrorKind;
use ekm_bridge::provider::external::KeyState as OnServer;
use ekm_bridge::rpc::ErrorName;
use ekm_bridge::rpc::control::{Ledger, SoftwareEncryption};
use ekm_bridge::rpc::types::KeyProviderId;
use ekm_bridge::rpc::types::ledger::{KeyState, SetRotation};
use ekm_bridge::rpc::types::sear::RekeyMasterKey;

use crate::rig::{World, create_volumes, current_faults, in_force, in_ledger, is_done, later, refused, rekey};

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn a_key_is_replaced_when_its_period_ends_and_not_before() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    create_volumes(&control, 2);
    assert!(is_done(&rekey(&control, Some(provider))));
    let first = in_force(&control);
    control.set_rotation(&SetRotation { provider: Some(provider), days: Some(30) }).unwrap();
    later(&world, &control, DAY * 26);
    control.drive_rekey().unwrap();
    assert_eq!(in_force(&control), first);
    later(&world, &control, DAY * 4);
    control.drive_rekey().unwrap();
    later(&world, &control, DAY);
    let second = in_force(&control);
    assert_ne!(second, first);
    assert_eq!(in_ledger(&control, first).state, KeyState::Destroyed);

    control.set_rotation(&SetRotation { provider: Some(provider), days: None }).unwrap();
    later(&world, &control, DAY * 300);
    control.drive_rekey().unwrap();
    assert_eq!(in_force(&control), second);
}

#[test]
fn a_rotation_that_does_not_succeed_is_a_fault_until_it_does() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    assert!(is_done(&rekey(&control, Some(provider))));
    control.set_rotation(&SetRotation { provider: Some(provider), days: Some(10) }).unwrap();
    world.contact.at("vault").fail(ErrorKind::Unreachable);
    later(&world, &control, DAY * 10);
    control.drive_rekey().unwrap();
    assert!(current_faults(&control, "masterKeyRotationOverdue").is_empty());
    later(&world, &control, DAY * 2);
    control.drive_rekey().unwrap();
    assert_eq!(current_faults(&control, "masterKeyRotationOverdue").len(), 1);
    world.contact.at("vault").fail(None);
    later(&world, &control, DAY / 24);
    control.drive_rekey().unwrap();
    later(&world, &control, DAY / 24);
    assert!(current_faults(&control, "masterKeyRotationOverdue").is_empty());
}

#[test]
fn a_rotation_is_refused_for_no_days_and_for_no_provider() {
    let world = World::new();
    let (control, _) = world.with_provider();
    let of = |provider, days| control.set_rotation(&SetRotation { provider, days: Some(days) });
    refused(of(None, 0), ErrorName::InvalidParameter);
    refused(of(Some(KeyProviderId(9)), 5), ErrorName::KeyProviderDoesNotExist);
    of(None, 5).unwrap();
}

#[test]
fn a_key_that_the_key_manager_ended_is_a_fault_and_open_volumes_are_saved_by_a_rekey() {
    for state in [OnServer::Revoked, OnServer::Compromised, OnServer::Destroyed] {
        let world = World::new();
        let (control, provider) = world.with_provider();
        let volumes = create_volumes(&control, 3);
        assert!(is_done(&rekey(&control, Some(provider))));
        let lost = in_force(&control);
        world.contact.at("vault").set_state(lost, state);
        later(&world, &control, Duration::from_secs(60));
        let faults = current_faults(&control, "masterKeyUnusable");
        assert_eq!(faults.len(), 1, "{state:?}");
        assert!(
            faults[0].details.contains("sear rekey --now") && faults[0].details.contains("vault"),
            "{}",
            faults[0].details
        );

        // A process that has the volumes open and no key in memory: only the data keys can help.
        let control = world.boot();
        assert_eq!(world.host.open_volumes().len(), volumes.len());
        control.rekey_master_key(RekeyMasterKey::default()).unwrap();
        control.drive_rekey().unwrap();
        let new = in_force(&control);
        assert!(world.host.disks().values().all(|(_, keys)| *keys == [new]), "{state:?}");
        later(&world, &control, Duration::from_secs(60));
        assert!(current_faults(&control, "masterKeyUnusable").is_empty(), "{state:?}");
        assert_eq!(in_ledger(&control, lost).state, KeyState::Destroyed, "{state:?}");
        let control = world.reboot();
        assert_eq!(world.host.open_volumes().len(), volumes.len(), "{state:?}");
        drop(control);
    }
}
