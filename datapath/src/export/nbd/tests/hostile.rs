//! Clients that are broken, slow, greedy or gone.

use std::io::{Read, Write};

use super::client::*;
use super::*;
use crate::volume::Counter;

/// A server that still serves the next client.
fn assert_serves(server: &Running) {
    let mut client = server.client();
    client.send(READ, 0, 99, 0, 512);
    assert_eq!(client.reply().error, 0);
}

#[test]
fn garbage_in_the_handshake_ends_its_connection_only() {
    let disk = Arc::new(MemDisk::new(1 << 20));
    let server = Running::start(&disk, Limits::default());
    let long = [&b"\0\0\0\x03IHAVEOPT\0\0\0\x03"[..], &u32::MAX.to_be_bytes()].concat();
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\xff\xff\xff\xff", b"\0\0\0\x03IHAVEOPTIHAVEOPTIHAVEOPT", &long] {
        let mut stream = server.stream();
        stream.read_exact(&mut [0; 18]).unwrap();
        stream.write_all(garbage).unwrap();
        assert!(closed(&mut stream), "{garbage:?}");
    }
    assert_serves(&server);
}

#[test]
fn garbage_instead_of_a_request_ends_its_connection_only() {
    let disk = Arc::new(MemDisk::new(1 << 20));
    let server = Running::start(&disk, Limits::default());
    let mut client = server.client();
    client.stream.write_all(&[0xa5; 28]).unwrap();
    assert!(client.sees_the_end());
    assert_serves(&server);
}

#[test]
fn a_handshake_that_takes_too_long_is_cut() {
    let disk = Arc::new(MemDisk::new(1 << 20));
    let server = Running::start(&disk, Limits { handshake: SHORT, ..Limits::default() });
    let mut silent = server.stream();
    silent.read_exact(&mut [0; 18]).unwrap();
    assert!(closed(&mut silent));

    // A byte now and then does not help: the whole handshake has one limit.
    let mut trickle = server.stream();
    trickle.read_exact(&mut [0; 18]).unwrap();
    let endless = [&b"\0\0\0\x03"[..], &b"IHAVEOPT\0\0\0\x08\0\0\0\0".repeat(4000)].concat();
    let cut = endless.iter().any(|byte| {
        thread::sleep(SHORT / 20);
        trickle.write_all(&[*byte]).is_err()
    });
    assert!(cut);
}

#[test]
fn a_request_that_does_not_arrive_is_cut_while_an_idle_client_is_not() {
    let disk = Arc::new(MemDisk::new(1 << 20));
    let server = Running::start(&disk, Limits { stall: SHORT, ..Limits::default() });
    let mut idle = server.client();
    let mut half_header = server.client();
    half_header.stream.write_all(&request(READ, 0, 1, 0, 512)[..20]).unwrap();
    let mut half_payload = server.client();
    half_payload.send(WRITE, 0, 1, 0, 4096);
    half_payload.stream.write_all(&[7; 1000]).unwrap();
    assert!(half_header.sees_the_end() && half_payload.sees_the_end());
    assert!(disk.content().iter().all(|byte| *byte == 0), "half a write is no write");
    thread::sleep(SHORT * 3);
    idle.send(READ, 0, 2, 0, 512);
    assert_eq!(idle.reply(), Reply::ok(2, &[0; 512]));
}

#[test]
fn a_request_that_trickles_in_is_cut() {
    let disk = Arc::new(MemDisk::new(1 << 20));
    let server = Running::start(&disk, Limits { stall: SHORT, ..Limits::default() });
    let mut client = server.client();
    client.send(WRITE, 0, 1, 0, 1 << 20);
    let cut = (0..4000).any(|_| {
        thread::sleep(SHORT / 20);
        client.stream.write_all(&[7]).is_err()
    });
    assert!(cut, "a payload may trickle in for ever");
}

#[test]
fn a_client_that_does_not_read_its_replies_is_cut() {
    let disk = Arc::new(MemDisk::new(1 << 20));
    let server = Running::start(&disk, Limits { stall: SHORT, ..Limits::default() });
    let mut client = server.client();
    for cookie in 0..64 {
        if client.stream.write_all(&request(READ, 0, cookie, 0, 1 << 20)).is_err() {
            break;
        }
    }
    // Waits for the cut without reading: a hang-up shows in poll alone.
    let mut polled = [rustix::event::PollFd::new(&client.stream, rustix::event::PollFlags::HUP)];
    while !polled[0].revents().contains(rustix::event::PollFlags::HUP) {
        rustix::event::poll(&mut polled, None).unwrap();
    }
    assert!((0..64).any(|_| client.try_reply().is_err()), "all replies arrived");
    assert_serves(&server);
}

#[test]
fn one_connection_too_many_is_closed_and_a_place_that_is_left_is_given_again() {
    let disk = Arc::new(MemDisk::new(1 << 20));
    let server = Running::start(&disk, Limits { connections: 2, ..Limits::default() });
    let (first, _second) = (server.client(), server.client());
    assert!(closed(&mut server.stream()));
    drop(first);
    // The server notices the free place in its own time.
    while server.stream().read_exact(&mut [0; 18]).is_err() {}
}

#[test]
fn a_client_that_dies_with_requests_in_flight_harms_nobody() {
    let disk = Arc::new(MemDisk::gated(1 << 20));
    let server = Running::start(&disk, Limits::default());
    let mut client = server.client();
    client.send_write(1, 0, &[7; 4096]);
    client.send(READ, 0, 2, 0, 4096);
    disk.wait_for(2);
    drop(client);
    disk.open_gate();
    while disk.count(Counter::Ended) < 2 {
        thread::yield_now();
    }
    assert!(disk.content()[..4096] == [7; 4096], "what was received whole is written");
    assert_serves(&server);
    server.stop().unwrap();
}

#[test]
fn a_client_that_dies_in_the_middle_of_a_payload_writes_nothing() {
    let disk = Arc::new(MemDisk::new(1 << 20));
    let server = Running::start(&disk, Limits::default());
    let mut client = server.client();
    client.send(WRITE, 0, 1, 0, 4096);
    client.stream.write_all(&[7; 4095]).unwrap();
    drop(client);
    server.stop().unwrap();
    assert!(disk.content().iter().all(|byte| *byte == 0));
}
