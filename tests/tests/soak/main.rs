//! Rekeys back to back under full load: through all four transitions and across two key providers, while fio writes and
//! verifies over NBD. No request fails, nothing is read that was not written, nothing stands still, and at the end every
//! volume is wrapped by the key in force alone and every other key is gone.
//!
//! `SEAR_SOAK_SECONDS` (45), `SEAR_SOAK_VOLUMES` (32), `SEAR_SOAK_REPORT` (a folder for `soak.md`, `soak.json`, `soak.svg`).

mod latency;
mod load;
mod plot;
mod report;
mod world;

use std::env;
use std::str::FromStr;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use latency::Windows;
use load::Load;
use world::{Target, World};

/// Volumes that are written to.
const BUSY: usize = 4;
/// A request that takes longer than this stands still.
const STALL: Duration = Duration::from_secs(5);

fn parameter<T: FromStr>(name: &str, default: T) -> T {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn rekeys_back_to_back_under_load_lose_nothing_and_hold_nobody_up() {
    let seconds = parameter("SEAR_SOAK_SECONDS", 45_u64);
    let volumes = parameter("SEAR_SOAK_VOLUMES", 32_usize).max(BUSY);
    let Some(world) = World::new(volumes) else { return };
    let load = Load::start(&world, BUSY, seconds);
    let (mut windows, begun) = (Windows::default(), load.begun());
    let mut rekeys = Vec::new();
    // A while without, then a while with rekeys, in turn: what is compared is measured in one run.
    let turn = Duration::from_secs((seconds / 6).clamp(3, 60));
    while begun.elapsed() + turn * 2 < Duration::from_secs(seconds) {
        windows.quiet(begun.elapsed(), turn);
        thread::sleep(turn);
        let from = begun.elapsed();
        while begun.elapsed() < from + turn {
            rekeys.push(rekey(&world, begun));
        }
        windows.busy(from, begun.elapsed() - from);
    }
    let latencies = load.finish();
    world.check_end();
    let summary = report::Summary::of(volumes, &rekeys, &latencies, &windows);
    println!("{}", summary.text());
    if let Ok(folder) = env::var("SEAR_SOAK_REPORT") {
        summary.write(folder.as_ref(), &plot::svg(&latencies, &rekeys));
    }
    assert!(rekeys.len() >= 4, "{} rekeys", rekeys.len());
    assert!(summary.longest() < STALL, "a request took {:?}", summary.longest());
}

/// One rekey: when it began and how long it took.
#[derive(Clone, Copy)]
struct Rekey {
    at: Duration,
    took: Duration,
    to: Target,
}

fn rekey(world: &World, begun: Instant) -> Rekey {
    let (at, to) = (begun.elapsed(), world.next_target());
    let daemon = world.daemon();
    let handle = daemon.local.ok("RekeySoftwareEncryptionAtRestMasterKey", to.order())["asyncHandle"].clone();
    let result = loop {
        let result = daemon.local.ok("GetAsyncResult", json!({"asyncHandle": handle, "keepResult": true}));
        if result["status"] == "complete" {
            break result;
        }
        thread::sleep(Duration::from_millis(25));
    };
    assert_eq!(result["result"]["state"], "Ready", "{result}");
    assert_eq!(result["result"]["leftBehind"], Value::Null, "{result}");
    Rekey { at, took: begun.elapsed() - at, to }
}
