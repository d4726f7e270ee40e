//! Many clients at once: idle ones, busy ones, ones that do not read their answers, ones that stop in the middle of a
//! write, and ones that die. The server's memory has a bound, and the others are served all the while.

use std::fs;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use sear_tests::rig::{Sear, Served, pattern, wait_until};

use crate::nbd_client::{Client, FLUSH, READ, WRITE};

const MIB: usize = 1 << 20;
const LEN: usize = 64 * MIB;
const BLOCK: usize = 256 << 10;
/// What a worker has: 32 MiB for blocks, 16 MiB for what sockets receive (docs/nbd.md, "Limits").
const WORKER: usize = 48 * MIB;
/// The program itself, and what a connection may keep: a received buffer, and the places of its requests.
const PROGRAM: usize = 48 * MIB;
const CONNECTION: usize = 256 << 10;
/// The longest that an honest client may have to wait among the others.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn five_hundred_connections_are_served_in_bounded_memory() {
    const CONNECTIONS: usize = 500;
    let (_sear, served) = served();
    let mut clients: Vec<Client> = (0..CONNECTIONS).map(|_| connect(&served)).collect();
    reset_peak(&served);
    // Each has a block of its own; all of them write, then all of them read, a few requests ahead of the answers.
    let len = LEN / CONNECTIONS / 4096 * 4096;
    for round in 0..2 {
        thread::scope(|scope| {
            for (group, clients) in clients.chunks_mut(CONNECTIONS / 4).enumerate() {
                scope.spawn(move || {
                    let first = group * (CONNECTIONS / 4);
                    for (number, client) in (first..).zip(&mut *clients) {
                        let (place, data) = ((number * len) as u64, pattern(number as u64 + round, len));
                        client.send((WRITE, 0), 1, place, len, &data).expect("the server listens");
                        client.send((FLUSH, 0), 2, 0, 0, &[]).expect("the server listens");
                    }
                    for (number, client) in (first..).zip(&mut *clients) {
                        (0..2).for_each(|_| drop(client.reply().expect("an answer").1.expect("no error")));
                        client.send((READ, 0), 3, (number * len) as u64, len, &[]).expect("the server listens");
                    }
                    for (number, client) in (first..).zip(clients) {
                        let data = client.reply().expect("an answer").1.expect("no error");
                        assert!(data == pattern(number as u64 + round, len), "connection {number}");
                    }
                });
            }
        });
    }
    assert_bounded(&served, CONNECTIONS);
    drop(clients);
    served.stop();
}

#[test]
fn clients_that_do_not_read_their_answers_leave_room_for_the_others() {
    let (_sear, served) = served();
    let mut honest = connect(&served);
    let mut slow: Vec<Client> = (0..200).map(|_| connect(&served)).collect();
    reset_peak(&served);
    for (number, client) in slow.iter_mut().enumerate() {
        client.stream.set_nonblocking(true).expect("a socket can be told");
        for cookie in 0..64 {
            let place = (number * 64 + usize::try_from(cookie).expect("small")) * BLOCK % LEN;
            // When even the requests are not taken any more, that is enough.
            if client.send((READ, 0), cookie, place as u64, BLOCK, &[]).is_err() {
                break;
            }
        }
    }
    assert_served(&mut honest);
    assert_served(&mut connect(&served));
    assert_bounded(&served, 202);
    drop(slow);
    assert_served(&mut honest);
    served.stop();
}

#[test]
fn clients_that_stop_in_the_middle_of_a_write_leave_room_for_the_others() {
    let (_sear, served) = served();
    let mut honest = connect(&served);
    let mut stuck: Vec<Client> = (0..300).map(|_| connect(&served)).collect();
    reset_peak(&served);
    for (number, client) in stuck.iter_mut().enumerate() {
        let data = vec![0xee; BLOCK / 2 + number];
        client.send((WRITE, 0), 0, (number % 64 * BLOCK) as u64, BLOCK, &data).expect("the server listens");
    }
    assert_served(&mut honest);
    assert_served(&mut connect(&served));
    assert_bounded(&served, 302);
    // Of half a write, whole sectors may have been written, and no half of one.
    drop(stuck);
    for place in 0..64_u64 {
        honest.send((READ, 0), place, place * BLOCK as u64, BLOCK, &[]).expect("the server listens");
        let data = honest.reply().expect("an answer").1.expect("no error");
        let torn = |sector: &&[u8]| (64..4096).contains(&sector.iter().filter(|byte| **byte == 0xee).count());
        assert_eq!(data.chunks(4096).filter(torn).count(), 0, "in block {place}");
    }
    served.stop();
}

#[test]
fn clients_that_die_with_requests_in_flight_leave_nothing_behind() {
    let (_sear, mut served) = served();
    for round in 0..10_u64 {
        let mut dying: Vec<Client> = (0..20).map(|_| connect(&served)).collect();
        for (number, client) in (0_u64..).zip(&mut dying) {
            for cookie in 0..16 {
                let place = (number * 16 + cookie) % 64 * BLOCK as u64;
                let command = if (cookie + round) % 2 == 0 { READ } else { WRITE };
                let data = vec![1; if command == WRITE { BLOCK } else { 0 }];
                client.send((command, 0), cookie, place, BLOCK, &data).expect("the server listens");
                // The socket's room is that of a few blocks; nobody reads.
                if cookie * number % 5 == 4 {
                    break;
                }
            }
        }
        drop(dying);
    }
    served.assert_alive();
    assert_served(&mut connect(&served));
    wait_until("the connections to end", || descriptors(&served) < 100);
    served.stop();
}

/// A client is served within a bounded time, whatever the others do.
fn assert_served(client: &mut Client) {
    let started = Instant::now();
    client.stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
    let data = pattern(3, 65536);
    client.send((WRITE, 0), 7, 48 << 20, data.len(), &data).expect("the server listens");
    client.reply().expect("an answer in time").1.expect("no error");
    client.send((READ, 0), 8, 48 << 20, data.len(), &[]).expect("the server listens");
    assert!(client.reply().expect("an answer in time").1.expect("no error") == data);
    println!("served after {:?}", started.elapsed());
}

/// The peak of the server's memory was within what its workers and connections may have.
fn assert_bounded(served: &Served, connections: usize) {
    let workers = thread::available_parallelism().map_or(1, |cores| cores.get().min(8));
    let bound = PROGRAM + workers * WORKER + connections * CONNECTION;
    let peak = status(served, "VmHWM:") * 1024;
    println!("{connections} connections: {} MiB at the peak, {} MiB allowed", peak / MIB, bound / MIB);
    assert!(peak <= bound, "{} MiB at the peak, {} MiB allowed", peak / MIB, bound / MIB);
}

/// From here on, the peak is that of now. Unlocking a volume takes memory on purpose.
fn reset_peak(served: &Served) {
    let file = format!("/proc/{}/clear_refs", served.pid());
    fs::OpenOptions::new().write(true).open(file).and_then(|mut file| file.write_all(b"5")).expect("proc is there");
}

/// A figure of `/proc/PID/status`, in KiB.
fn status(served: &Served, name: &str) -> usize {
    let text = fs::read_to_string(format!("/proc/{}/status", served.pid())).expect("proc is there");
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel tells it");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn descriptors(served: &Served) -> usize {
    fs::read_dir(format!("/proc/{}/fd", served.pid())).map_or(0, Iterator::count)
}

fn served() -> (Sear, Served) {
    let sear = Sear::new();
    let served = sear.up(&sear.path("disk"), ["--size", "64M"]);
    (sear, served)
}

fn connect(served: &Served) -> Client {
    Client::connect(served.socket(), "vol", true).expect("the server takes clients")
}
