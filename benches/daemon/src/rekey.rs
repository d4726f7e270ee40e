//! Rekeys of many headers: how long they take, and how that grows.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sear_tests::rig::Daemon;
use sear_tests::rig::https::Client;
use serde_json::json;

use crate::figure::Figure;
use crate::world::{World, https, new_volume, seconds};

/// What was promised for a thousand volumes.
const THOUSAND_SECONDS: f64 = 10.0;
/// How many headers there are when it is measured.
const COUNTS: [usize; 6] = [250, 500, 1000, 2000, 4000, 10_000];
/// Volumes that one NBD server offers; the others are closed while they are rekeyed.
const OPEN: usize = 1000;
/// Volumes that a cluster may have; what goes beyond are backups of their headers.
const VOLUMES: usize = 4000;
/// Of those, how many an account may have.
const OF_AN_ACCOUNT: usize = 2000;
/// Rekeys of which the middle one counts.
const REKEYS: usize = 3;
/// Clients that make volumes at the same time.
const MAKERS: usize = 4;

/// Rekeys of so many headers.
pub(crate) struct Point {
    pub(crate) headers: usize,
    /// Seconds, in ascending order.
    pub(crate) times: Vec<f64>,
}

impl Point {
    pub(crate) fn figure(&self) -> Figure {
        let (volumes, backups) = (self.headers.min(VOLUMES), self.headers.saturating_sub(VOLUMES));
        let backups = if backups > 0 { format!(" and {backups} backups of headers") } else { String::new() };
        let what = format!("rekey of {volumes} volumes{backups}, the old key destroyed");
        let figure = Figure::median(what, self.times.clone(), "s");
        if self.headers == OPEN { figure.at_most(THOUSAND_SECONDS) } else { figure }
    }

    /// The middle one.
    pub(crate) fn median(&self) -> f64 {
        self.times[self.times.len() / 2]
    }
}

pub(crate) fn measure(most: usize) -> Result<Vec<Point>, Box<dyn Error>> {
    let (world, daemon) = World::new(1)?;
    let (mut made, mut points) = (0, Vec::new());
    for headers in COUNTS.into_iter().filter(|count| *count <= most) {
        // The API closes connections on which nothing is asked for long.
        let mut clients = (0..MAKERS).map(|_| https(&world, &daemon)).collect::<Result<Vec<_>, _>>()?;
        make(&mut clients, made, headers);
        made = headers;
        let mut times: Vec<f64> = (0..REKEYS).map(|_| seconds(|| rekey(&daemon)).0).collect();
        times.sort_by(f64::total_cmp);
        println!("{headers} headers: {times:.2?} s");
        points.push(Point { headers, times });
    }
    daemon.stop();
    Ok(points)
}

fn rekey(daemon: &Daemon) {
    let handle = daemon.local.ok("RekeySoftwareEncryptionAtRestMasterKey", json!({}))["asyncHandle"].clone();
    let result = daemon.local.wait_for(&handle);
    assert_eq!(result["result"]["state"], "Ready", "{result}");
}

/// Makes volumes, and then backups, until there are `to` headers.
fn make(clients: &mut [Client], from: usize, to: usize) {
    let next = AtomicUsize::new(from);
    thread::scope(|scope| {
        for client in clients {
            let next = &next;
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    match number {
                        _ if number >= to => return,
                        0..VOLUMES => make_volume(client, number),
                        _ => drop(client.ok("CreateVolumeHeaderBackup", json!({"volumeID": number % VOLUMES + 1}))),
                    }
                }
            });
        }
    });
}

fn make_volume(client: &mut Client, number: usize) {
    let mut new = new_volume();
    new["accountID"] = json!(number / OF_AN_ACCOUNT + 1);
    let id = client.ok("CreateVolume", new)["volumeID"].clone();
    if id.as_u64().is_some_and(|id| id > OPEN as u64) {
        client.ok("ModifyVolume", json!({"volumeID": id, "access": "locked"}));
    }
}
