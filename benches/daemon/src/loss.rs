//! Key servers that are gone, hang, and come back.

use std::error::Error;
use std::thread::sleep;
use std::time::Duration;

use sear_tests::rig::Daemon;

use crate::connect::connect;
use crate::crowd::export;
use crate::figure::Figure;
use crate::world::{World, new_volume, seconds};

/// What was promised, from the return of a key server until volumes are served.
const RETURN_SECONDS: f64 = 2.0;
const VOLUMES: usize = 10;
/// How long a key server is away: long enough for the longest pause between two tries.
const AWAY: Duration = Duration::from_secs(4);

pub(crate) fn measure(rounds: usize) -> Result<Vec<Figure>, Box<dyn Error>> {
    let mut figures = failover(rounds)?;
    figures.extend(coming_back(rounds)?);
    Ok(figures)
}

/// A start with two key servers, of which the first is well, gone, or takes connections and never answers.
fn failover(rounds: usize) -> Result<Vec<Figure>, Box<dyn Error>> {
    let (mut world, daemon) = World::new(2)?;
    daemon.local.ok("CreateVolume", new_volume());
    daemon.stop();
    let start = |world: &World| {
        let (taken, daemon) = seconds(|| world.node.start());
        let served = connect(&daemon.nbd(), &export(1)).is_ok();
        assert!(served, "the volume is served");
        daemon.stop();
        taken
    };
    let well = (0..rounds).map(|_| start(&world)).collect();
    world.servers[0].freeze();
    // Every start waits for the time limit of a connection.
    let hanging = (0..rounds.min(2)).map(|_| start(&world)).collect();
    world.servers[0].stop();
    let gone = (0..rounds).map(|_| start(&world)).collect();
    let name = |what| format!("start with one volume, the first of two key servers {what}");
    Ok(vec![
        Figure::median(name("well"), well, "s"),
        Figure::median(name("gone, its port closed"), gone, "s"),
        Figure::median(name("hanging"), hanging, "s"),
    ])
}

/// A start without key servers, and the time from the moment that the key server listens until every volume is served.
fn coming_back(rounds: usize) -> Result<Vec<Figure>, Box<dyn Error>> {
    let (mut world, daemon) = World::new(1)?;
    (0..VOLUMES).for_each(|_| drop(daemon.local.ok("CreateVolume", new_volume())));
    daemon.stop();
    let (mut ready, mut back) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        world.servers[0].stop();
        let (taken, daemon) = seconds(|| world.node.start());
        ready.push(taken);
        assert!(connect(&daemon.nbd(), &export(1)).is_err(), "without its key the volume is locked");
        // Not always at the same moment between two tries.
        sleep(AWAY + Duration::from_millis(170) * u32::try_from(round)?);
        world.servers[0].restart();
        back.push(seconds(|| wait_for_all(&daemon)).0);
        daemon.stop();
    }
    Ok(vec![
        Figure::median("start without key servers until the API answers", ready, "s"),
        Figure::median(format!("from a key server's return until {VOLUMES} volumes are served"), back, "s")
            .at_most(RETURN_SECONDS),
    ])
}

fn wait_for_all(daemon: &Daemon) {
    for number in 1..=VOLUMES {
        while connect(&daemon.nbd(), &export(number)).is_err() {
            sleep(Duration::from_millis(2));
        }
    }
}
