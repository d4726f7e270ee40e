//! Two servers of a provider that disagree while a rekey runs, and a volume that is unplugged in the middle of one and
//! brought back after it: at every step.

use std::sync::Arc;
use std::time::Duration;

use ekm_bridge::cluster::ClusterControl;
use ekm_bridge::provider::external::KeyState as OnServer;
use ekm_bridge::rpc::control::Ledger;
use ekm_bridge::rpc::types::KeyProviderId;
use ekm_bridge::rpc::types::ledger::{DecommissionKey, KeyState};
use keywrap::keys::KeyId;

use crate::rig::{
    Invariants, World, begin_rekey, create_volumes, current_faults, in_force, in_ledger, is_done, later, rekey,
};

const HOUR: Duration = Duration::from_secs(3600);

/// Two volumes whose key is on `vault` and `second`.
fn world() -> (World, Arc<ClusterControl>, KeyProviderId) {
    let world = World::new();
    let (control, provider) = world.with_provider();
    world.add_server(&control, provider, "second");
    create_volumes(&control, 2);
    assert!(is_done(&rekey(&control, Some(provider))));
    (world, control, provider)
}

/// What becomes of a key on one server.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Bytes,
    State(OnServer),
    Lost,
}

fn spoil(world: &World, wrong: Wrong, key: KeyId) {
    let second = world.contact.at("second");
    match wrong {
        Wrong::Bytes => second.put(key, 9),
        Wrong::State(state) => second.set_state(key, state),
        Wrong::Lost => second.lose(key),
    }
}

/// After `cut` steps of a rekey, `second` has something else under the id of the newest key. Whether it came to that step.
fn disagree_after(cut: u64, wrong: Wrong, restarts: bool) -> bool {
    let event = format!("{wrong:?} after step {cut}, restart: {restarts}");
    let (world, mut control, provider) = world();
    let (mut invariants, old) = (Invariants::new(), in_force(&control));
    invariants.check(&world, &control, &event);
    begin_rekey(&control, Some(provider)).unwrap();
    world.plug.cut_after(cut);
    let is_cut = control.drive_rekey().is_err();
    world.plug.repair();
    let newest = in_force(&control);
    if newest != old && is_cut {
        let is_proven = control.master_key_report(old.0).unwrap().proof.is_some();
        let right = world.contact.live().into_iter().find(|(id, _)| *id == newest).unwrap().1;
        spoil(&world, wrong, newest);
        if restarts {
            control = world.reboot();
        }
        control.drive_rekey().unwrap();
        for _ in 0..3 {
            later(&world, &control, HOUR);
            invariants.check(&world, &control, &event);
        }
        assert_eq!(world.host.open_volumes().len(), 2, "{event}");
        // What was agreed on before stays so.
        if !is_proven && !matches!(wrong, Wrong::State(OnServer::Revoked) | Wrong::Lost) {
            assert!(world.contact.ended().iter().all(|(_, id)| *id != old), "{event}: ended without agreement");
            assert_ne!(in_ledger(&control, old).state, KeyState::Destroyed, "{event}");
        }
        if !is_proven && matches!(wrong, Wrong::Bytes) {
            let faults = current_faults(&control, "kmipServerFault");
            assert!(faults.iter().any(|fault| fault.details.contains("other bytes")), "{event}: {faults:?}");
        }
        world.contact.at("second").put_bytes(newest, right);
    }
    for _ in 0..3 {
        control.drive_rekey().unwrap();
        later(&world, &control, HOUR);
        invariants.check(&world, &control, &event);
    }
    let new = in_force(&control);
    assert_eq!(in_ledger(&control, old).state, KeyState::Destroyed, "{event}");
    for server in ["vault", "second"] {
        assert_eq!(world.contact.at(server).keys(), [new], "{event}");
        let of_old: Vec<_> = world.contact.at(server).ended().into_iter().filter(|(_, id)| *id == old).collect();
        assert_eq!(of_old, [("revoked", old), ("destroyed", old)], "{event}: once");
    }
    is_cut
}

#[test]
fn a_server_that_disagrees_about_the_new_key_at_any_step_stops_the_end_of_the_old_one_and_nothing_else() {
    for wrong in [Wrong::Bytes, Wrong::State(OnServer::Destroyed), Wrong::State(OnServer::Revoked), Wrong::Lost] {
        for restarts in [false, true] {
            let steps = (0..).take_while(|cut| disagree_after(*cut, wrong, restarts)).count();
            assert!(steps > 8, "{steps} steps");
        }
    }
}

#[test]
fn a_server_that_gives_other_bytes_of_the_old_key_loses_no_volume() {
    for restarts in [false, true] {
        let (world, mut control, provider) = world();
        let (mut invariants, old) = (Invariants::new(), in_force(&control));
        world.contact.at("vault").put(old, 9);
        if restarts {
            control = world.reboot();
        }
        assert!(is_done(&rekey(&control, Some(provider))), "restart: {restarts}");
        let new = in_force(&control);
        assert!(world.host.disks().values().all(|(_, keys)| *keys == [new]), "restart: {restarts}");
        later(&world, &control, HOUR);
        invariants.check(&world, &control, "other bytes of the old key");
        assert_eq!(in_ledger(&control, old).state, KeyState::Destroyed, "restart: {restarts}");
    }
}

/// A volume is unplugged after `cut` steps of a rekey, and comes back after the old key has gone by force, or before it.
fn unplug_after(cut: u64, by_force: bool) -> bool {
    let event = format!("unplugged after step {cut}, by force: {by_force}");
    let (mut world, control, provider) = world();
    let (mut invariants, old) = (Invariants::new(), in_force(&control));
    let volume = *world.host.disks().keys().next().unwrap();
    begin_rekey(&control, Some(provider)).unwrap();
    world.plug.cut_after(cut);
    let is_cut = control.drive_rekey().is_err();
    world.plug.repair();
    world.host.set_away(volume, true);
    for _ in 0..3 {
        control.drive_rekey().unwrap();
        later(&world, &control, HOUR);
        invariants.check(&world, &control, &event);
    }
    let (new, known) = (in_force(&control), in_ledger(&control, old));
    let on = |world: &World| world.host.disks()[&volume].1.clone();
    assert!(known.state == KeyState::Destroyed || known.dependants == 1, "{event}: {known:?}");
    assert!(known.state != KeyState::Destroyed || on(&world) == [new], "{event}");
    let is_lost = by_force && known.dependants == 1 && !on(&world).contains(&new);
    if by_force && known.dependants == 1 {
        world.is_forced = true;
        let lost = vec![known.dependant_names[0].split(" (").next().unwrap().to_owned()];
        let order = DecommissionKey { key: old.0, force: Some(true), dependants: Some(lost) };
        control.decommission_key(&order, "eva").unwrap();
        assert_eq!(in_ledger(&control, old).state, KeyState::Destroyed, "{event}");
        invariants.check(&world, &control, &event);
    }
    world.host.set_away(volume, false);
    for _ in 0..3 {
        later(&world, &control, HOUR);
        invariants.check(&world, &control, &event);
    }
    assert_eq!(in_ledger(&control, old).state, KeyState::Destroyed, "{event}");
    assert_eq!(on(&world) == [new], !is_lost, "{event}: {:?}", on(&world));
    assert_eq!(world.host.open_volumes().len(), if is_lost { 1 } else { 2 }, "{event}");
    if is_lost {
        let fault = current_faults(&control, "volumesOffline").remove(0).details;
        assert!(fault.contains("by order of eva"), "{event}: {fault}");
    }
    let ended = world.contact.ended().into_iter().filter(|(_, id)| *id == old).count();
    assert_eq!(ended, 4, "{event}: once on each server");
    is_cut
}

#[test]
fn a_volume_that_is_unplugged_at_any_step_follows_when_it_is_back_or_is_lost_by_order_alone() {
    for by_force in [false, true] {
        let steps = (0..).take_while(|cut| unplug_after(*cut, by_force)).count();
        assert!(steps > 8, "{steps} steps");
    }
}
