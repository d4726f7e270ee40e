//! The medium of one volume takes no more writes, from every write of its rewrap on: it is full, read-only, or broken. The
//! headers are real. The rekey ends without it, and it follows when it is well again.

use std::io::ErrorKind;
use std::time::Duration;

use ekm_bridge::rpc::control::AsyncResults;
use ekm_bridge::rpc::types::KeyProviderId;
use ekm_bridge::rpc::types::async_results::AsyncOutcome;
use ekm_bridge::rpc::types::ledger::KeyState;

use crate::rig::{
    Invariants, Notes, SimHost, World, begin_rekey, create_volumes, current_faults, in_force, in_ledger, is_done,
    later, rekey,
};

/// Three volumes whose key is on a key server.
fn world(seed: u64) -> (World, KeyProviderId) {
    let mut world = World::new();
    world.real = Some(SimHost::new(world.plug.clone(), seed));
    world.journal = Some(Notes::default().into());
    let (control, provider) = world.with_provider();
    create_volumes(&control, 3);
    assert!(is_done(&rekey(&control, Some(provider))));
    (world, provider)
}

/// Whether the rewrap has so many writes and syncs that it comes to the `n`th.
fn breaks_at(n: usize, kind: ErrorKind, is_lossy: bool) -> bool {
    let event = format!("{kind:?} from step {n} on, lossy: {is_lossy}");
    let (world, provider) = world(n as u64);
    let (control, mut invariants, real) = (world.boot(), Invariants::new(), world.real.clone().unwrap());
    invariants.check(&world, &control, &event);
    let (old, broken) = (in_force(&control), real.volumes()[1]);
    real.break_from(broken, n, kind, is_lossy);
    let handle = begin_rekey(&control, Some(provider)).unwrap();
    invariants.check(&world, &control, &event);
    control.drive_rekey().unwrap();
    invariants.check(&world, &control, &event);
    let AsyncOutcome::Result(result) = control.async_result(handle, true).unwrap().outcome else {
        panic!("{event}: the new key is in force")
    };
    let new = in_force(&control);
    let Some(left) = result["leftBehind"].as_array().filter(|left| !left.is_empty()) else {
        assert!(real.keys().iter().all(|keys| *keys == [new]), "{event}");
        return false;
    };
    assert_eq!(left.len(), 1, "{event}: {left:?}");
    let fault = current_faults(&control, "rekeyIncomplete").remove(0).details;
    assert!(fault.contains(left[0].as_str().unwrap()), "{event}: {fault}");
    assert_eq!(real.keys().iter().filter(|keys| **keys == [new]).count(), if is_on_new(&real, new) { 3 } else { 2 });
    // Again and again, in vain.
    for _ in 0..3 {
        later(&world, &control, Duration::from_secs(600));
        invariants.check(&world, &control, &event);
    }
    // One that lost its last sync may look well when it is read again, and is.
    if !is_on_new(&real, new) {
        assert_eq!(in_ledger(&control, old).state, KeyState::ToDecommission, "{event}");
        assert!(world.contact.at("vault").ended().iter().all(|(_, id)| *id != old), "{event}: ended early");
    }

    real.mend();
    for _ in 0..3 {
        later(&world, &control, Duration::from_secs(600));
        invariants.check(&world, &control, &event);
    }
    assert!(current_faults(&control, "rekeyIncomplete").is_empty(), "{event}");
    assert!(real.keys().iter().all(|keys| *keys == [new]), "{event}");
    assert_eq!(in_ledger(&control, old).state, KeyState::Destroyed, "{event}");
    let ended = world.contact.at("vault").ended();
    assert_eq!(ended, [("revoked", old), ("destroyed", old)], "{event}: once");
    drop(world.reboot());
    assert_eq!(real.open_count(), 3, "{event}");
    true
}

fn is_on_new(real: &SimHost, new: keywrap::keys::KeyId) -> bool {
    real.keys().iter().all(|keys| *keys == [new])
}

#[test]
fn a_volume_that_takes_no_more_writes_from_any_step_on_is_left_behind_alone_and_follows_when_it_is_well() {
    for (kind, is_lossy) in [
        (ErrorKind::StorageFull, false),
        (ErrorKind::ReadOnlyFilesystem, false),
        (ErrorKind::Other, false),
        (ErrorKind::Other, true),
    ] {
        let mut steps = 0;
        while breaks_at(steps, kind, is_lossy) {
            steps += 1;
        }
        println!("{kind:?}, lossy: {is_lossy}: {steps} steps");
        assert!(steps > 5, "{steps} steps");
    }
}
