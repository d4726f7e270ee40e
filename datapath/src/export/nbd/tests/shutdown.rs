//! The end of a server.

use super::client::*;
use super::*;
use crate::export::nbd::test_disk::Call;
use crate::volume::DiskOptions;

#[test]
fn requests_in_flight_are_answered_and_the_disk_is_flushed_before_the_end() {
    let disk = Arc::new(MemDisk::gated(1 << 20));
    let server = Running::start(&disk, Limits::default());
    let (path, handle) = (server.path(), server.handle.clone());
    let mut client = server.client();
    client.send_write(1, 0, &[7; 4096]);
    disk.wait_for(1);
    handle.shutdown();
    // The socket file goes once no new client is accepted.
    while path.exists() {
        thread::yield_now();
    }
    disk.open_gate();
    assert_eq!(client.reply(), Reply::ok(1, &[]));
    assert!(client.sees_the_end());
    server.stop().unwrap();
    assert_eq!(disk.log().last(), Some(&Call::Flush));
    assert_eq!(disk.content()[..4096], [7; 4096]);
}

#[test]
fn a_client_in_its_handshake_is_let_go() {
    let disk = Arc::new(MemDisk::new(1 << 20));
    let server = Running::start(&disk, Limits::default());
    let client = Client::greet(server.stream());
    server.stop().unwrap();
    assert!(client.sees_the_end());
}

#[test]
fn a_disk_that_never_completes_does_not_hold_up_the_end_for_ever() {
    let disk = Arc::new(MemDisk::gated(1 << 20));
    let server = Running::start(&disk, Limits { drain: SHORT, ..Limits::default() });
    let mut client = server.client();
    client.send(READ, 0, 1, 0, 512);
    disk.wait_for(1);
    assert!(matches!(server.stop(), Err(RunError::Stuck(1))));
    assert!(client.sees_the_end());
    disk.open_gate();
}

#[test]
fn a_read_only_disk_is_not_flushed() {
    let disk = Arc::new(MemDisk::with(1 << 20, DiskOptions { read_only: true, ..DiskOptions::default() }));
    Running::start(&disk, Limits::default()).stop().unwrap();
    assert_eq!(disk.log(), []);
}
