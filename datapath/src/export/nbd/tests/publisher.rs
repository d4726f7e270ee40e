//! Exports that come and go.

use super::client::*;
use super::*;
use crate::export::nbd::test_disk::Call;
use crate::export::nbd::{BadExport, PublishError, Publisher};

/// A server without exports.
fn empty(limits: Limits) -> (Running, Publisher) {
    let dir = tempfile::tempdir().unwrap();
    let listen = vec![Listen::Unix(dir.path().join("socket"))];
    let server = Server::bind(Config { listen, limits, ..config(vec![]) }).unwrap();
    let (handle, publisher) = (server.handle(), server.publisher());
    (Running { dir, handle, thread: Some(thread::spawn(move || server.run())) }, publisher)
}

fn client(server: &Running, name: &str) -> Client<UnixStream> {
    let mut client = Client::greet(server.stream());
    client.go(name);
    client
}

#[test]
fn an_export_that_was_added_is_served_and_its_name_is_taken() {
    let (server, publisher) = empty(Limits::default());
    for name in ["one", "two", "three"] {
        let disk = Arc::new(MemDisk::new(1 << 20));
        publisher.add(export(name, Arc::clone(&disk.volume))).unwrap();
        let mut client = client(&server, name);
        client.send_write(1, 0, &[7; 4096]);
        assert_eq!(client.reply(), Reply::ok(1, &[]));
        assert_eq!(disk.content()[..4096], [7; 4096]);
    }
    let again = publisher.add(export("two", MemDisk::new(4096).volume));
    assert!(matches!(again, Err(PublishError::Export(BadExport::Twice(name))) if name == "two"));
}

#[test]
fn a_removed_export_answers_what_is_in_flight_is_flushed_and_forgotten() {
    let (server, publisher) = empty(Limits::default());
    let disk = Arc::new(MemDisk::gated(1 << 20));
    publisher.add(export("disk", Arc::clone(&disk.volume))).unwrap();
    let mut client = client(&server, "disk");
    client.send_write(1, 0, &[7; 4096]);
    disk.wait_for(1);
    let removal = thread::spawn({
        let publisher = publisher.clone();
        move || publisher.remove("disk")
    });
    // The end of what we may send comes first, so the gate cannot open too early for the test to mean something.
    disk.open_gate();
    assert_eq!(client.reply(), Reply::ok(1, &[]));
    assert!(client.sees_the_end());
    removal.join().unwrap().unwrap();
    assert_eq!(disk.log().last(), Some(&Call::Flush));
    assert_eq!(Arc::strong_count(&disk.volume), 1, "only the test holds the volume");
    publisher.remove("disk").unwrap();
}

#[test]
fn other_exports_go_on_and_places_are_used_again() {
    let (server, publisher) = empty(Limits::default());
    let kept = Arc::new(MemDisk::new(1 << 20));
    publisher.add(export("kept", Arc::clone(&kept.volume))).unwrap();
    let mut staying = client(&server, "kept");
    for round in 0..20_u8 {
        let disk = Arc::new(MemDisk::new(1 << 20));
        publisher.add(export("guest", Arc::clone(&disk.volume))).unwrap();
        let mut guest = client(&server, "guest");
        guest.send_write(1, 0, &[round; 512]);
        assert_eq!(guest.reply(), Reply::ok(1, &[]));
        publisher.remove("guest").unwrap();
        assert!(guest.sees_the_end());
        staying.send_write(1, 0, &[round; 512]);
        assert_eq!(staying.reply(), Reply::ok(1, &[]));
        assert_eq!((disk.content()[0], kept.content()[0]), (round, round));
    }
}

#[test]
fn a_disk_that_never_completes_is_reported_and_its_client_is_cut() {
    // The end of the server itself has to keep within this limit too, on a machine with much to do.
    let (server, publisher) = empty(Limits { drain: SHORT * 20, ..Limits::default() });
    let disk = Arc::new(MemDisk::gated(1 << 20));
    publisher.add(export("disk", Arc::clone(&disk.volume))).unwrap();
    let mut client = client(&server, "disk");
    client.send(READ, 0, 1, 0, 512);
    disk.wait_for(1);
    assert!(matches!(publisher.remove("disk"), Err(PublishError::Stuck)));
    assert!(client.sees_the_end());
    disk.open_gate();
}
