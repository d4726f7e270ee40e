//! Clocks that are set: a day back and ten years ahead, at every step of a rekey and while time is what something waits for.

use std::sync::Arc;
use std::time::Duration;

use ekm_bridge::cluster::{ClusterControl, Decommission};
use ekm_bridge::provider::KeyProvider;
use ekm_bridge::rpc::control::{AsyncResults, Events, KeyProviders, Ledger, Volumes};
use ekm_bridge::rpc::types::events::ListEvents;
use ekm_bridge::rpc::types::key_providers::AddKeyServer;
use ekm_bridge::rpc::types::ledger::{KeyState, SetRotation};
use ekm_bridge::rpc::types::volumes::ListVolumes;
use ekm_bridge::rpc::types::{KeyProviderId, VolumeId};
use keywrap::keys::KeyId;

use crate::rig::{
    DAY as DAY_SECONDS, Invariants, Notes, World, begin_rekey, create_volumes, current_faults, in_force, in_ledger,
    is_done, later, rekey,
};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(DAY_SECONDS);
const A_DAY_BACK: i64 = -86_400;
const TEN_YEARS_AHEAD: i64 = 3650 * 86_400;

/// The clock is set after this many steps of a rekey, and the process goes on or ends there. Whether it came to that step.
fn set_after(cut: u64, off: i64, to: Option<KeyProviderId>, restarts: bool) -> bool {
    let event = format!("set by {off} s after step {cut} of a rekey to {to:?}, restart: {restarts}");
    let mut world = World::new();
    world.journal = Some(Notes::default().into());
    let (mut control, _) = world.with_provider();
    let mut invariants = Invariants::new();
    create_volumes(&control, 2);
    let old = in_force(&control);
    let handle = begin_rekey(&control, to).unwrap();
    world.plug.cut_after(cut);
    let is_cut = control.drive_rekey().is_err();
    world.plug.repair();
    invariants.check(&world, &control, &event);
    world.clock.set_off(off);
    if restarts {
        control = world.reboot();
    }
    control.drive_rekey().unwrap();
    invariants.check(&world, &control, &event);
    assert!(is_done(&control.async_result(handle, true).unwrap()), "{event}");
    // And set right again.
    for off in [off, 0, 0] {
        world.clock.set_off(off);
        later(&world, &control, HOUR);
        invariants.check(&world, &control, &event);
    }
    let new = in_force(&control);
    assert!(new != old && world.host.disks().values().all(|(_, keys)| *keys == [new]), "{event}");
    assert_eq!(in_ledger(&control, old).state, KeyState::Destroyed, "{event}");
    alone(&world, new, &event);
    in_order(&world, &control, old, &event);
    is_cut
}

/// The key in force is all that there is on key servers and in the internal provider: none was lost, none orphaned.
fn alone(world: &World, key: KeyId, event: &str) {
    let mut there: Vec<KeyId> = world.contact.live().into_iter().map(|(id, _)| id).collect();
    there.extend(world.internal().list().unwrap().iter().map(|info| info.id));
    there.dedup();
    assert_eq!(there, [key], "{event}");
}

/// The audit log tells the life of a key from first to last, and events have their order, whatever the time of day was.
fn in_order(world: &World, control: &ClusterControl, key: KeyId, event: &str) {
    let notes = world.journal.as_ref().unwrap().entries();
    let of_key = notes.iter().filter(|(_, text)| text.contains("MasterKeyState") && text.contains(&key.to_string()));
    let told: Vec<&String> = of_key.map(|(_, text)| text).collect();
    let states = control.master_key_report(key.0).unwrap().states;
    // An entry goes with its process when the power fails, and no other does.
    assert!((states.len() - 1..=states.len()).contains(&told.len()), "{event}: {told:?}");
    assert!(states.windows(2).all(|pair| (pair[0].state as u8) < pair[1].state as u8), "{event}: {states:?}");
    let heads = states.iter().filter_map(|step| step.audit_head.clone());
    let numbers: Vec<u64> = heads.map(|head| head.split(':').next().unwrap().parse().unwrap()).collect();
    assert!(numbers.is_sorted(), "{event}: {numbers:?}");
    let events = control.events(&ListEvents::default()).unwrap();
    assert!(events.windows(2).all(|pair| pair[0].id < pair[1].id), "{event}");
}

#[test]
fn a_rekey_whose_clock_is_set_at_any_step_loses_no_key_and_leaves_none_behind() {
    for to in [None, Some(KeyProviderId(1))] {
        for off in [A_DAY_BACK, TEN_YEARS_AHEAD] {
            for restarts in [false, true] {
                let steps = (0..).take_while(|cut| set_after(*cut, off, to, restarts)).count();
                assert!(steps > 8, "{steps} steps");
            }
        }
    }
}

#[test]
fn a_key_that_somebody_else_brought_is_not_taken_for_the_new_one() {
    for off in [0, A_DAY_BACK, TEN_YEARS_AHEAD] {
        let world = World::new();
        let (control, provider) = world.with_provider();
        create_volumes(&control, 1);
        let server = world.create_server(&control, "other");
        let handle = begin_rekey(&control, Some(provider)).unwrap();
        // The key of somebody else comes in the same second as the rekey begins, or by another clock.
        let foreign = KeyId::random();
        world.clock.set_off(off);
        world.contact.at("other").put(foreign, 7);
        control.add_key_server(AddKeyServer { provider, server }).unwrap();
        control.drive_rekey().unwrap();
        assert!(is_done(&control.async_result(handle, true).unwrap()), "{off}");
        assert_ne!(in_force(&control), foreign, "{off}");
        assert!(control.master_keys().unwrap().iter().all(|key| key.info.id != Some(foreign.0)), "{off}");
    }
}

#[test]
fn what_was_made_in_vain_is_cleared_away_whatever_the_clock_says() {
    for off in [A_DAY_BACK, TEN_YEARS_AHEAD, -TEN_YEARS_AHEAD] {
        let world = World::new();
        let (control, provider) = world.with_provider();
        begin_rekey(&control, Some(provider)).unwrap();
        // The intent, and then not even that the key is known.
        world.plug.cut_after(1);
        control.drive_rekey().unwrap_err();
        assert_eq!(world.contact.at("vault").keys().len(), 1);
        world.clock.set_off(off);
        let control = world.reboot();
        control.drive_rekey().unwrap();
        later(&world, &control, Duration::from_secs(1));
        assert_eq!(world.contact.at("vault").keys().len(), 2, "{off}: a request may still be under way");
        later(&world, &control, HOUR);
        assert_eq!(world.contact.at("vault").keys(), [in_force(&control)], "{off}");
    }
}

/// A cluster whose old key is held for two days.
fn holding() -> (World, Arc<ClusterControl>, KeyProviderId) {
    let mut world = World::new();
    world.decommission = Decommission::After(HOUR * 48);
    let (control, provider) = world.with_provider();
    create_volumes(&control, 2);
    later(&world, &control, HOUR);
    (world, control, provider)
}

#[test]
fn a_leap_ahead_ends_no_hold_and_is_a_fault_until_it_is_taken_back() {
    for restarts in [false, true] {
        let (world, mut control, provider) = holding();
        let old = in_force(&control);
        assert!(is_done(&rekey(&control, Some(provider))));
        later(&world, &control, HOUR);
        world.clock.set_off(TEN_YEARS_AHEAD);
        if restarts {
            control = world.reboot();
        }
        for _ in 0..20 {
            later(&world, &control, HOUR);
            assert_eq!(in_ledger(&control, old).state, KeyState::ToDecommission, "restart: {restarts}");
        }
        let fault = current_faults(&control, "clockLeap").remove(0).details;
        assert!(fault.contains("leapt ahead") && fault.contains("Until 2033-"), "{fault}");
        world.clock.set_off(0);
        later(&world, &control, HOUR);
        assert!(current_faults(&control, "clockLeap").is_empty());
        later(&world, &control, HOUR * 24);
        assert_eq!(in_ledger(&control, old).state, KeyState::ToDecommission, "restart: {restarts}");
        later(&world, &control, HOUR * 3);
        assert_eq!(in_ledger(&control, old).state, KeyState::Destroyed, "restart: {restarts}");
    }
}

#[test]
fn a_leap_ahead_that_lasts_is_believed_after_a_day() {
    let (world, control, provider) = holding();
    let old = in_force(&control);
    assert!(is_done(&rekey(&control, Some(provider))));
    world.clock.set_off(TEN_YEARS_AHEAD);
    later(&world, &control, Duration::from_secs(60));
    later(&world, &control, HOUR * 23);
    assert_eq!(in_ledger(&control, old).state, KeyState::ToDecommission);
    later(&world, &control, HOUR);
    later(&world, &control, HOUR);
    assert_eq!(in_ledger(&control, old).state, KeyState::Destroyed);
    assert!(current_faults(&control, "clockLeap").is_empty());
}

#[test]
fn a_key_that_was_replaced_by_a_clock_of_times_to_come_is_held_from_when_it_was_set_right() {
    let (world, control, provider) = holding();
    world.clock.set_off(TEN_YEARS_AHEAD);
    let old = in_force(&control);
    assert!(is_done(&rekey(&control, Some(provider))));
    later(&world, &control, HOUR);
    world.clock.set_off(0);
    later(&world, &control, HOUR);
    later(&world, &control, HOUR * 47);
    assert_eq!(in_ledger(&control, old).state, KeyState::ToDecommission);
    later(&world, &control, HOUR * 2);
    assert_eq!(in_ledger(&control, old).state, KeyState::Destroyed, "not ten years later");
}

fn is_there(control: &ClusterControl, id: VolumeId) -> bool {
    control.volumes(&ListVolumes::default()).unwrap().iter().any(|volume| volume.id == id)
}

#[test]
fn a_leap_ahead_purges_no_deleted_volume() {
    for restarts in [false, true] {
        let world = World::new();
        let (mut control, _) = world.with_provider();
        let volume = create_volumes(&control, 2).remove(0);
        control.delete_volume(volume.id).unwrap();
        later(&world, &control, HOUR);
        world.clock.set_off(TEN_YEARS_AHEAD);
        if restarts {
            control = world.reboot();
        }
        for _ in 0..4 {
            later(&world, &control, HOUR);
            assert!(is_there(&control, volume.id), "restart: {restarts}");
        }
        world.clock.set_off(0);
        later(&world, &control, HOUR * 4);
        assert!(!is_there(&control, volume.id), "restart: {restarts}");
        assert_eq!(world.host.disks().len(), 1);
    }
}

#[test]
fn a_volume_that_was_deleted_by_a_clock_of_times_to_come_is_purged_in_these() {
    let world = World::new();
    let (control, _) = world.with_provider();
    let volume = create_volumes(&control, 1).remove(0);
    later(&world, &control, HOUR);
    world.clock.set_off(TEN_YEARS_AHEAD);
    control.delete_volume(volume.id).unwrap();
    world.clock.set_off(0);
    later(&world, &control, HOUR);
    later(&world, &control, HOUR * 7);
    assert!(is_there(&control, volume.id));
    later(&world, &control, HOUR * 2);
    assert!(!is_there(&control, volume.id));
}

#[test]
fn a_rotation_follows_no_leap_and_replaces_a_key_of_times_to_come() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    create_volumes(&control, 1);
    assert!(is_done(&rekey(&control, Some(provider))));
    control.set_rotation(&SetRotation { provider: Some(provider), days: Some(30) }).unwrap();
    later(&world, &control, HOUR);
    let first = in_force(&control);
    for off in [TEN_YEARS_AHEAD, A_DAY_BACK, 0] {
        world.clock.set_off(off);
        later(&world, &control, HOUR);
        control.drive_rekey().unwrap();
        assert_eq!(in_force(&control), first, "{off}");
        assert!(current_faults(&control, "masterKeyRotationOverdue").is_empty(), "{off}");
    }
    // Made ten years ahead: when the clock is right again it would last until then.
    world.clock.set_off(TEN_YEARS_AHEAD);
    assert!(is_done(&rekey(&control, Some(provider))));
    let ahead = in_force(&control);
    world.clock.set_off(0);
    later(&world, &control, HOUR);
    control.drive_rekey().unwrap();
    let right = in_force(&control);
    assert!(right != ahead && right != first);
    later(&world, &control, DAY * 20);
    control.drive_rekey().unwrap();
    assert_eq!(in_force(&control), right, "once");
}

#[test]
fn certificates_that_end_by_a_wrong_clock_are_a_fault_only_as_long_as_it_is_wrong() {
    let world = World::new();
    let (control, _) = world.with_provider();
    for (off, count) in [(0, 0), (TEN_YEARS_AHEAD, 2), (0, 0), (A_DAY_BACK, 0)] {
        world.clock.set_off(off);
        later(&world, &control, HOUR);
        assert_eq!(current_faults(&control, "kmipCertificateFault").len(), count, "{off}");
    }
}
