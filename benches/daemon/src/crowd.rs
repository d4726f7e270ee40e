//! A node with many volumes: its start, its memory, and clients that come to it.

use std::error::Error;
use std::path::Path;

use sear_tests::rig::Daemon;
use serde_json::json;

use crate::connect::connect;
use crate::figure::Figure;
use crate::memory::resident;
use crate::world::{World, https, new_volume, seconds};

/// What was promised.
const UNLOCK_SECONDS: f64 = 10.0;
const VOLUME_KIB: f64 = 256.0;
/// Starts, of which the middle one counts.
const STARTS: usize = 3;

pub(crate) fn measure(volumes: usize) -> Result<Vec<Figure>, Box<dyn Error>> {
    let (world, daemon) = World::new(1)?;
    daemon.stop();
    // The same node without volumes, after a start like the others.
    let daemon = world.node.start();
    let empty = resident(daemon.pid())?;
    let mut figures = create(&world, &daemon, volumes)?;
    let made = resident(daemon.pid())?;
    daemon.stop();

    let mut starts = Vec::new();
    let mut full = empty;
    for turn in 0..STARTS {
        let (taken, daemon) = seconds(|| world.node.start());
        starts.push(taken);
        all_are_open(&daemon, volumes);
        full = resident(daemon.pid())?;
        if turn + 1 == STARTS {
            figures.extend(clients(&daemon, volumes)?);
        }
        daemon.stop();
    }
    let (count, kib) = (count(volumes), 1024.0);
    figures.push(
        Figure::median(format!("start with {volumes} volumes until all are served"), starts, "s")
            .at_most(UNLOCK_SECONDS),
    );
    figures.push(Figure::new("memory without volumes", empty.0 / kib / kib, "MiB"));
    figures.push(Figure::new(format!("memory with {volumes} volumes"), full.0 / kib / kib, "MiB"));
    let each = (full.0 - empty.0) / count / kib;
    figures.push(Figure::new("memory for each open volume", each, "KiB").at_most(VOLUME_KIB));
    let each_made = (made.0 - empty.0) / count / kib;
    figures.push(Figure::new("the same in the process that made the volumes", each_made, "KiB").at_most(VOLUME_KIB));
    figures.push(Figure::new("of the first not of files", (full.1 - empty.1) / count / kib, "KiB"));
    Ok(figures)
}

#[expect(clippy::cast_precision_loss, reason = "some thousand volumes")]
fn count(volumes: usize) -> f64 {
    volumes.max(1) as f64
}

/// Makes the volumes, and tells how the calls get slower as there are more.
fn create(world: &World, daemon: &Daemon, volumes: usize) -> Result<Vec<Figure>, Box<dyn Error>> {
    let mut client = https(world, daemon)?;
    let part = volumes.min(100);
    let mut rates = Vec::new();
    for first in (0..volumes).step_by(part.max(1)) {
        let made = part.min(volumes - first);
        let (taken, ()) = seconds(|| (0..made).for_each(|_| drop(client.ok("CreateVolume", new_volume()))));
        rates.push(count(made) / taken);
    }
    let what = format!("CreateVolume, one connection, by the hundred until there are {volumes}");
    Ok(vec![Figure::median(what, rates, "calls/s")])
}

fn all_are_open(daemon: &Daemon, volumes: usize) {
    let faults = daemon.local.ok("ListClusterFaults", json!({"faultTypes": "current"}));
    assert_eq!(faults["faults"], json!([]), "no volume is locked");
    let listed = daemon.local.ok("ListVolumes", json!({}))["volumes"].as_array().map_or(0, Vec::len);
    assert_eq!(listed, volumes);
    for number in [1, volumes] {
        drop(connect(&daemon.nbd(), &export(number)).expect("the volume is served"));
    }
}

/// The name of a volume's export.
pub(crate) fn export(number: usize) -> String {
    format!("vol.{number}")
}

/// One client for each volume, one after the other.
fn clients(daemon: &Daemon, volumes: usize) -> Result<Vec<Figure>, Box<dyn Error>> {
    let socket = daemon.nbd();
    let mut times = (1..=volumes).map(|number| time_to(&socket, number)).collect::<Result<Vec<f64>, _>>()?;
    times.sort_by(f64::total_cmp);
    let at = |part: usize| times.get((times.len() * part / 100).min(times.len().saturating_sub(1))).copied();
    let named = |what: &str, part| {
        let what = format!("NBD client from connecting to its export, {what}");
        Figure::new(what, at(part).unwrap_or(f64::NAN), "ms")
    };
    Ok(vec![named("median", 50), named("99 of 100", 99), named("slowest", 100)])
}

fn time_to(socket: &Path, number: usize) -> std::io::Result<f64> {
    let (taken, connected) = seconds(|| connect(socket, &export(number)));
    connected.map(|_| taken * 1000.0)
}
