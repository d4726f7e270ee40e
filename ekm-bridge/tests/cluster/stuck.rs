//! A rekey whose new key is out of reach after a restart, when some volumes are wrapped by it already: it waits, says for
//! what, and ends with what it has done when it is called off or has waited long enough.

use std::sync::Arc;
use std::time::Duration;

use ekm_bridge::cluster::ClusterControl;
use ekm_bridge::provider::ErrorKind;
use ekm_bridge::rpc::ErrorName;
use ekm_bridge::rpc::control::{AsyncResults, SoftwareEncryption};
use ekm_bridge::rpc::types::async_results::{AsyncOutcome, AsyncStatus};
use ekm_bridge::rpc::types::ledger::KeyState;
use ekm_bridge::rpc::types::{AsyncHandleId, KeyProviderId};
use keywrap::keys::KeyId;

use crate::rig::{
    Invariants, World, begin_rekey, create_volumes, current_faults, in_force, in_ledger, is_done, later, refused, rekey,
};

const MINUTE: Duration = Duration::from_secs(60);

/// A rekey from `vault` to `second` that was cut when the first volumes were wrapped, and `second` is away since.
struct Stuck {
    world: World,
    control: Arc<ClusterControl>,
    invariants: Invariants,
    handle: AsyncHandleId,
    to: KeyProviderId,
    old: KeyId,
    new: KeyId,
}

impl Stuck {
    fn new() -> Self {
        let world = World::new();
        let (control, first) = world.with_provider();
        let to = world.add_provider(&control);
        world.add_server(&control, to, "second");
        create_volumes(&control, 6);
        assert!(is_done(&rekey(&control, Some(first))));
        let old = in_force(&control);
        let handle = begin_rekey(&control, Some(to)).unwrap();
        // The intent, the key, its transaction, the announcement; then some headers.
        world.plug.cut_after(3 + 1 + 7);
        control.drive_rekey().unwrap_err();
        world.contact.at("second").fail(ErrorKind::Unreachable);
        world.plug.repair();
        // The volumes that were open before stay so: it is only the daemon's memory that is lost.
        let control = world.boot();
        let new = in_force(&control);
        let stuck = Self { world, control, invariants: Invariants::new(), handle, to, old, new };
        let on_new = stuck.on(new);
        assert!(new != old && (1..6).contains(&on_new), "{on_new} of 6");
        stuck
    }

    fn on(&self, key: KeyId) -> usize {
        self.world.host.disks().values().filter(|(_, keys)| keys.contains(&key)).count()
    }

    fn check(&mut self, event: &str) {
        self.invariants.check(&self.world, &self.control, event);
    }

    fn is_running(&self) -> bool {
        self.control.async_result(self.handle, true).unwrap().status == AsyncStatus::Running
    }
}

#[test]
fn while_it_waits_a_fault_and_every_other_request_tell_for_what_and_since_when() {
    let mut stuck = Stuck::new();
    stuck.control.drive_rekey().unwrap_err();
    stuck.check("waiting");
    let fault = current_faults(&stuck.control, "rekeyWaitsForKey").remove(0).details;
    for part in ["second (ID 2)", "since 2023-", &stuck.new.to_string(), "volume ", "--cancel"] {
        assert!(fault.contains(part), "{part}: {fault}");
    }
    let message = refused(begin_rekey(&stuck.control, None), ErrorName::RekeyInProgress);
    for part in ["second (ID 2)", "since 2023-", "CancelRekeySoftwareEncryptionAtRestMasterKey"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    later(&stuck.world, &stuck.control, MINUTE * 5);
    stuck.control.drive_rekey().unwrap_err();
    assert_eq!(current_faults(&stuck.control, "rekeyWaitsForKey")[0].details, fault, "the same wait");
    assert!(stuck.is_running());

    stuck.world.contact.at("second").fail(None);
    stuck.control.drive_rekey().unwrap();
    stuck.check("the key is back");
    assert!(!stuck.is_running() && current_faults(&stuck.control, "rekeyWaitsForKey").is_empty());
    assert_eq!(stuck.on(stuck.new), 6);
    assert_eq!(in_ledger(&stuck.control, stuck.old).state, KeyState::Destroyed);
}

/// Whoever ends it, both keys are kept, and the next rekey saves what is open.
fn ends_with_a_remainder(mut stuck: Stuck) {
    stuck.check("it has ended");
    let (on_new, old, new) = (stuck.on(stuck.new), stuck.old, stuck.new);
    let AsyncOutcome::Result(result) = stuck.control.async_result(stuck.handle, true).unwrap().outcome else {
        panic!("the new key is in force")
    };
    assert!(!result["leftBehind"].as_array().unwrap().is_empty(), "{result}");
    assert_eq!(in_force(&stuck.control), new);
    assert_eq!(in_ledger(&stuck.control, old).state, KeyState::ToDecommission);
    assert!(in_ledger(&stuck.control, old).dependants > 0);
    later(&stuck.world, &stuck.control, MINUTE * 10);
    let fault = current_faults(&stuck.control, "rekeyIncomplete").remove(0).details;
    assert!(fault.contains("second (ID 2)") && fault.contains("sear rekey --now"), "{fault}");
    assert!(current_faults(&stuck.control, "rekeyWaitsForKey").is_empty());
    assert!(stuck.world.contact.ended().iter().all(|(_, id)| ![old, new].contains(id)));

    assert!(is_done(&rekey(&stuck.control, None)), "to a manager that answers");
    stuck.check("the next rekey is done");
    let newest = in_force(&stuck.control);
    assert_eq!((stuck.on(newest), stuck.on(old), stuck.on(new)), (6, 0, 0), "{on_new} of them from memory");
    later(&stuck.world, &stuck.control, MINUTE * 10);
    assert_eq!(in_ledger(&stuck.control, old).state, KeyState::Destroyed);
    assert_ne!(in_ledger(&stuck.control, new).state, KeyState::Destroyed, "nobody has answered");
    stuck.world.contact.at("second").fail(None);
    later(&stuck.world, &stuck.control, MINUTE * 10);
    stuck.check("the key server is back");
    assert_eq!(in_ledger(&stuck.control, new).state, KeyState::Destroyed);
    assert!(stuck.world.contact.live().is_empty() && current_faults(&stuck.control, "rekeyIncomplete").is_empty());
}

#[test]
fn called_off_it_ends_with_what_it_has_done_and_both_keys() {
    let mut stuck = Stuck::new();
    refused(stuck.control.cancel_rekey(), ErrorName::RekeyInProgress);
    stuck.control.drive_rekey().unwrap_err();
    assert_eq!(stuck.control.cancel_rekey().unwrap(), stuck.handle);
    stuck.check("called off");
    stuck.control.drive_rekey().unwrap();
    ends_with_a_remainder(stuck);
}

#[test]
fn after_some_time_it_ends_by_itself() {
    let stuck = Stuck::new();
    stuck.control.drive_rekey().unwrap_err();
    later(&stuck.world, &stuck.control, MINUTE * 14);
    stuck.control.drive_rekey().unwrap_err();
    later(&stuck.world, &stuck.control, MINUTE * 2);
    stuck.control.drive_rekey().unwrap();
    ends_with_a_remainder(stuck);
}

#[test]
fn volumes_that_are_locked_follow_when_the_key_server_is_back() {
    let mut stuck = Stuck::new();
    let on_new = stuck.on(stuck.new);
    stuck.control.drive_rekey().unwrap_err();
    stuck.control.cancel_rekey().unwrap();
    stuck.control.drive_rekey().unwrap();
    // The power fails: what only the new key opens is locked.
    stuck.control = stuck.world.reboot();
    stuck.check("a start without the key server");
    assert!(is_done(&rekey(&stuck.control, None)));
    stuck.check("rekeyed past it");
    let newest = in_force(&stuck.control);
    assert!(stuck.on(newest) >= 6 - on_new && stuck.on(stuck.new) > 0);
    assert_eq!(in_ledger(&stuck.control, stuck.new).state, KeyState::ToDecommission);
    stuck.world.contact.at("second").fail(None);
    for _ in 0..3 {
        later(&stuck.world, &stuck.control, MINUTE * 10);
        stuck.check("the key server is back");
    }
    assert_eq!((stuck.on(newest), stuck.world.host.open_volumes().len()), (6, 6));
    for key in [stuck.old, stuck.new] {
        assert_eq!(in_ledger(&stuck.control, key).state, KeyState::Destroyed);
    }
    assert!(is_done(&rekey(&stuck.control, Some(stuck.to))), "and back again");
    stuck.check("back");
}
