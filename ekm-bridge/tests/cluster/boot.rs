//! Starts without key servers, losing them, and certificates that end.

use std::time::{Duration, Instant};

use ekm_bridge::cluster::ClusterControl;
use ekm_bridge::provider::ErrorKind;
use ekm_bridge::provider::external::SystemClock;
use ekm_bridge::rpc::control::Volumes;

use crate::rig::{DAY, World, create_volumes, current_faults, is_done, new_volume, rekey};

fn external(world: &World, volumes: usize) -> std::sync::Arc<ClusterControl> {
    let (control, provider) = world.with_provider();
    create_volumes(&control, volumes);
    assert!(is_done(&rekey(&control, Some(provider))));
    control
}

#[test]
fn volumes_stay_locked_without_a_key_server_and_the_fault_says_how_it_fails() {
    for kind in [ErrorKind::Unreachable, ErrorKind::NotAuthenticated, ErrorKind::Refused, ErrorKind::Absent] {
        let world = World::new();
        drop(external(&world, 4));
        world.contact.at("vault").fail(kind);
        let control = world.reboot();
        assert!(world.host.open_volumes().is_empty());
        let fault = current_faults(&control, "kmipServerFault").remove(0);
        assert!(fault.details.contains("vault (ID 1)"), "{}", fault.details);
        assert!(fault.details.contains(&format!("{kind:?}")), "{}", fault.details);
        assert!(current_faults(&control, "volumesOffline")[0].details.contains("4 volumes are locked"));

        world.contact.at("vault").fail(None);
        world.clock.advance(Duration::from_secs(1));
        control.tend().unwrap();
        assert_eq!(world.host.open_volumes().len(), 4, "{kind:?}");
        world.clock.advance(Duration::from_secs(121));
        control.tend().unwrap();
        for code in ["kmipServerFault", "volumesOffline"] {
            assert!(current_faults(&control, code).is_empty(), "{kind:?}: {code} is resolved");
        }
    }
}

#[test]
fn running_it_unlocks_within_two_seconds_of_the_key_servers_return() {
    let world = World::new();
    drop(external(&world, 20));
    world.contact.at("vault").fail(ErrorKind::Unreachable);
    world.host.forget_open();
    let control =
        world.boot_with(std::sync::Arc::new(world.contact.clone()), std::sync::Arc::new(SystemClock::default()), None);
    let running = control.start().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    assert!(world.host.open_volumes().is_empty());
    world.contact.at("vault").fail(None);
    let back = Instant::now();
    while world.host.open_volumes().len() < 20 {
        assert!(back.elapsed() < Duration::from_secs(20), "it never unlocks");
        std::thread::sleep(Duration::from_millis(5));
    }
    println!("unlocked {:?} after the key server's return", back.elapsed());
    running.stop().unwrap();
    assert!(world.host.open_volumes().is_empty(), "closed in order");
}

#[test]
fn locked_volumes_ask_a_dead_server_once_for_all_of_them() {
    let world = World::new();
    drop(external(&world, 30));
    world.contact.at("vault").fail(ErrorKind::Unreachable);
    let control = world.reboot();
    let before = world.contact.at("vault").requests();
    world.clock.advance(Duration::from_millis(500));
    control.tend().unwrap();
    assert!(world.contact.at("vault").requests() - before <= 3);
}

#[test]
fn open_volumes_go_on_when_the_key_server_is_lost() {
    let world = World::new();
    let control = external(&world, 3);
    world.contact.at("vault").fail(ErrorKind::Unreachable);
    world.clock.advance(Duration::from_secs(300));
    control.tend().unwrap();
    assert_eq!(world.host.open_volumes().len(), 3);
    assert!(!current_faults(&control, "kmipServerFault").is_empty());
    control.create_volume(new_volume("kept key")).unwrap();
    world.contact.at("vault").fail(None);
    world.clock.advance(Duration::from_secs(300));
    control.tend().unwrap();
    assert!(current_faults(&control, "kmipServerFault").is_empty());
}

#[test]
fn one_dead_server_of_two_locks_nothing() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    world.add_server(&control, provider, "second");
    create_volumes(&control, 3);
    assert!(is_done(&rekey(&control, Some(provider))));
    for dead in ["vault", "second"] {
        world.contact.at(dead).fail(ErrorKind::Unreachable);
        let control = world.reboot();
        assert_eq!(world.host.open_volumes().len(), 3, "{dead} is dead");
        control.tend().unwrap();
        let faults = current_faults(&control, "kmipServerFault");
        assert!(faults.len() == 1 && faults[0].details.contains(dead), "{faults:?}");
        world.contact.at(dead).fail(None);
    }
}

#[test]
fn certificates_that_end_are_a_fault_until_they_are_replaced() {
    let world = World::new();
    let control = external(&world, 1);
    control.tend().unwrap();
    assert!(current_faults(&control, "kmipCertificateFault").is_empty());
    world.clock.advance(Duration::from_secs(340 * DAY));
    control.tend().unwrap();
    assert_eq!(current_faults(&control, "kmipCertificateFault").len(), 2, "the authority's and ours");
}
