//! Key servers that hang: they take connections, or requests, and never answer.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ekm_bridge::cluster::{ClusterControl, Contact, KmipContact};
use ekm_bridge::provider::ErrorKind;
use ekm_bridge::provider::external::{KeyServer, SystemClock};
use ekm_bridge::records;
use uuid::Uuid;

use crate::rig::{ModelContact, World, create_volumes, current_faults, is_done, rekey};

const VOLUMES: usize = 12;
/// Volumes are open this long after a server is there, whatever other servers do.
const LIMIT: Duration = Duration::from_secs(2);

/// One server is a real socket, reached by the real client with its usual time limits; all others are models.
struct Mixed {
    models: ModelContact,
    kmip: KmipContact,
    hanging: &'static str,
    /// The kernel takes connections for it; nobody ever reads what comes.
    listener: TcpListener,
}

impl Contact for Mixed {
    fn server(&self, record: &records::KeyServer, cluster: Uuid) -> Box<dyn KeyServer> {
        if record.name != self.hanging {
            return self.models.server(record, cluster);
        }
        let mut record = record.clone();
        record.hostnames = vec!["127.0.0.1".into()];
        record.port = self.listener.local_addr().unwrap().port();
        self.kmip.server(&record, cluster)
    }
}

/// Volumes whose key is on two servers, `vault` and `second`.
fn world() -> World {
    let world = World::new();
    let (control, provider) = world.with_provider();
    world.add_server(&control, provider, "second");
    create_volumes(&control, VOLUMES);
    assert!(is_done(&rekey(&control, Some(provider))));
    world.host.forget_open();
    world
}

/// Starts over what is there, with a server that hangs.
fn boot(world: &World, hanging: &'static str) -> Arc<ClusterControl> {
    let kmip = KmipContact::new(world.store(), Arc::new(world.internal()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let contact = Mixed { models: world.contact.clone(), kmip, hanging, listener };
    world.boot_with(Arc::new(contact), Arc::new(SystemClock::default()), None)
}

fn wait_until_open(world: &World) -> Duration {
    let start = Instant::now();
    while world.host.open_volumes().len() < VOLUMES {
        assert!(start.elapsed() < Duration::from_secs(30), "they are never opened");
        std::thread::sleep(Duration::from_millis(5));
    }
    start.elapsed()
}

#[test]
fn a_start_waits_for_no_server_that_hangs_beside_a_good_one() {
    for hanging in ["vault", "second"] {
        let world = world();
        let start = Instant::now();
        let _control = boot(&world, hanging);
        let took = start.elapsed();
        assert_eq!(world.host.open_volumes().len(), VOLUMES);
        println!("{hanging} hangs: {VOLUMES} volumes open after {took:?}");
        assert!(took < LIMIT, "{took:?}");
    }
}

#[test]
fn a_servers_return_unlocks_while_another_one_hangs() {
    let world = world();
    world.contact.at("second").fail(ErrorKind::Unreachable);
    let control = boot(&world, "vault");
    assert!(world.host.open_volumes().is_empty());
    let fault = current_faults(&control, "kmipServerFault").remove(0).details;
    assert!(fault.contains("second (ID 2): ") && fault.contains("vault (ID 1): it takes requests"), "{fault}");
    let running = control.start().unwrap();
    std::thread::sleep(Duration::from_millis(2500));
    assert!(world.host.open_volumes().is_empty());
    world.contact.at("second").fail(None);
    let took = wait_until_open(&world);
    println!("{VOLUMES} volumes open {took:?} after the return");
    assert!(took < LIMIT, "{took:?}");
    running.stop().unwrap();
}

#[test]
fn a_late_answer_of_the_only_server_is_used_and_it_is_not_asked_again_and_again() {
    let world = world();
    world.contact.at("second").fail(ErrorKind::Unreachable);
    let vault = world.contact.at("vault");
    vault.hang(true);
    let before = vault.requests();
    let control = world.boot_with(Arc::new(world.contact.clone()), Arc::new(SystemClock::default()), None);
    let fault = || {
        let faults = current_faults(&control, "kmipServerFault");
        faults.into_iter().map(|fault| fault.details).find(|details| details.contains("cannot be had")).unwrap()
    };
    let (told, running) = (fault(), control.start().unwrap());
    std::thread::sleep(Duration::from_millis(2500));
    assert!(world.host.open_volumes().is_empty());
    // One for the key, one for the health check.
    assert!(vault.requests() - before <= 2, "{}", vault.requests() - before);
    assert_eq!(fault(), told, "it is not written anew each second");
    vault.hang(false);
    let took = wait_until_open(&world);
    println!("{VOLUMES} volumes open {took:?} after the late answer");
    assert!(took < LIMIT, "{took:?}");
    running.stop().unwrap();
}

#[test]
fn servers_that_hang_are_checked_at_once_and_a_stop_waits_for_none() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    world.add_server(&control, provider, "second");
    let other = world.add_provider(&control);
    world.add_server(&control, other, "third");
    for provider in [provider, other, provider] {
        assert!(is_done(&rekey(&control, Some(provider))));
    }
    let servers = ["vault", "second"].map(|name| world.contact.at(name));
    let control = world.boot_with(Arc::new(world.contact.clone()), Arc::new(SystemClock::default()), None);
    let before = servers.each_ref().map(|server| server.requests());
    servers.iter().for_each(|server| server.hang(true));
    let running = control.start().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    for (server, before) in servers.iter().zip(before) {
        assert!(server.requests() > before, "the first one holds up no other");
    }
    let start = Instant::now();
    running.stop().unwrap();
    let took = start.elapsed();
    println!("stopped after {took:?}");
    assert!(took < LIMIT, "{took:?}");
    servers.iter().for_each(|server| server.hang(false));
}
