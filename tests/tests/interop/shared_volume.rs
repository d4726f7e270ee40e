//! Several clients of one served volume at once, doing random things to the same sectors while it grows: what they see
//! must have happened in some order, sector by sector.

use std::collections::HashMap;
use std::path::Path;
use std::thread;

use sear_tests::rig::Sear;

use crate::history::{History, Random, Step, Verb};
use crate::nbd_client::{Client, FLUSH, FUA, READ, TRIM, WRITE, WRITE_ZEROES};

const SMALL: usize = 1 << 20;
const GROWN: usize = 2 << 20;
const CONNECTIONS: u64 = 6;
const DEPTH: usize = 8;
/// Operations of each connection.
const STEPS: usize = 1500;
/// The longest operation: above the server's pieces of 256 KiB.
const LONGEST_BYTES: usize = 320 << 10;

#[test]
fn connections_agree_on_an_order_on_512_byte_sectors() {
    agree(512, SMALL / 4, GROWN / 4);
}

#[test]
fn connections_agree_on_an_order_on_4096_byte_sectors() {
    agree(4096, SMALL, GROWN);
}

fn agree(sector: usize, small: usize, grown: usize) {
    let (sear, size) = (Sear::new(), sector.to_string());
    let disk = sear.path("disk");
    let arguments = ["--size", &small.to_string(), "--sector-size", &size, "--allow-discards"];
    let served = sear.up(&disk, arguments);
    let mut client = Client::connect(served.socket(), "vol", true).expect("the server takes clients");
    one(&mut client, TRIM, 0, small);
    let history = History::new(sector, &one(&mut client, READ, 0, small));
    let step = history.begin_at(Verb::Write, 0..small, false);
    play(&history, &mut client, &step);
    thread::scope(|scope| {
        for seed in 0..CONNECTIONS {
            let (history, socket) = (&history, served.socket());
            scope.spawn(move || converse(history, socket, seed));
        }
        scope.spawn(|| {
            while history.clock() < CONNECTIONS * STEPS as u64 {
                thread::yield_now();
            }
            sear.run().arg("volume").arg("resize").arg("--size").arg(grown.to_string()).arg(&disk).ok();
            let mut client = Client::connect(served.socket(), "vol", true).expect("the server takes clients");
            history.grow(&one(&mut client, READ, small as u64, grown - small));
        });
    });
    assert_eq!(history.len(), grown, "the volume grew after its clients had ended");
    let mut client = Client::connect(served.socket(), "vol", true).expect("the server takes clients");
    let step = history.begin_at(Verb::Read, 0..grown, false);
    history.end(&step, &one(&mut client, READ, 0, grown));
    history.check();
    served.stop();
}

/// One connection's share. It connects anew when the volume has grown, and every now and then with the other kind of
/// replies.
fn converse(history: &History, socket: &Path, seed: u64) {
    let mut random = Random::new(seed);
    let mut left = STEPS;
    while left > 0 {
        let structured = random.below(3) > 0;
        let mut client = Client::connect(socket, "vol", structured).expect("the server takes clients");
        let (len, mut share) = (history.len(), left.min(STEPS / 3));
        left -= share;
        let mut flying: HashMap<u64, Step> = HashMap::new();
        while share > 0 || !flying.is_empty() {
            while share > 0 && flying.len() < DEPTH {
                // A step beyond what this connection may know of would be refused.
                if history.len() != len {
                    left += share;
                    share = 0;
                    break;
                }
                share -= 1;
                let longest = if random.below(8) == 0 { LONGEST_BYTES } else { 32 << 10 };
                let step = history.begin_within(&mut random, longest / history.sector(), len);
                let cookie = (left + share) as u64;
                send(history, &mut client, cookie, &step);
                flying.insert(cookie, step);
            }
            if flying.is_empty() {
                break;
            }
            let (cookie, result) = client.reply().expect("the server answers");
            let step = flying.remove(&cookie).expect("an answer to a question");
            let data = result.unwrap_or_else(|error| panic!("{step:?} was answered with error {error}"));
            history.end(&step, &data);
        }
    }
}

fn send(history: &History, client: &mut Client, cookie: u64, step: &Step) {
    let mut data = Vec::new();
    let command = match step.verb {
        Verb::Read => READ,
        Verb::Write => {
            data = vec![0; step.len];
            history.fill(step, &mut data);
            WRITE
        }
        Verb::Zeroes => WRITE_ZEROES,
        Verb::Trim => TRIM,
        Verb::Flush => FLUSH,
    };
    let flags = if step.fua { FUA } else { 0 };
    client.send((command, flags), cookie, step.offset, step.len, &data).expect("the server listens");
}

fn play(history: &History, client: &mut Client, step: &Step) {
    send(history, client, 0, step);
    let data = client.reply().expect("the server answers").1.expect("without an error");
    history.end(step, &data);
}

/// One request without a payload.
fn one(client: &mut Client, command: u16, offset: u64, len: usize) -> Vec<u8> {
    client.send((command, 0), 0, offset, len, &[]).expect("the server listens");
    client.reply().expect("the server answers").1.expect("without an error")
}
