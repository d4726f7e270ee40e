//! Rekeys of many volumes: how long they take, and how that grows.

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
/// How many volumes there are when it is measured: in the end as many as a cluster may have.
const COUNTS: [usize; 5] = [250, 500, 1000, 2000, 4000];
/// Volumes that one NBD server offers; the others are closed while they are rekeyed.
const OPEN: usize = 1000;
/// Of those, how many an account may have.
const OF_AN_ACCOUNT: usize = 2000;
/// Rekeys of which the middle one counts.
const REKEYS: usize = 3;
/// Clients that make volumes at the same time.
const MAKERS: usize = 4;

/// Rekeys of so many volumes.
pub(crate) struct Point {
    pub(crate) volumes: usize,
    /// Seconds, in ascending order.
    pub(crate) times: Vec<f64>,
}

impl Point {
    pub(crate) fn figure(&self) -> Figure {
        let what = format!("rekey of {} volumes, the old key destroyed", self.volumes);
        let figure = Figure::median(what, self.times.clone(), "s");
        if self.volumes == OPEN { figure.at_most(THOUSAND_SECONDS) } else { figure }
    }

    /// The middle one.
    pub(crate) fn median(&self) -> f64 {
        self.times[self.times.len() / 2]
    }
}

pub(crate) fn measure(most: usize) -> Result<Vec<Point>, Box<dyn Error>> {
    let (world, daemon) = World::new(1)?;
    let (mut made, mut points) = (0, Vec::new());
    for volumes in COUNTS.into_iter().filter(|count| *count <= most) {
        // The API closes connections on which nothing is asked for long.
        let mut clients = (0..MAKERS).map(|_| https(&world, &daemon)).collect::<Result<Vec<_>, _>>()?;
        make(&mut clients, made, volumes);
        made = volumes;
        let mut times: Vec<f64> = (0..REKEYS).map(|_| seconds(|| rekey(&daemon)).0).collect();
        times.sort_by(f64::total_cmp);
        println!("{volumes} volumes: {times:.2?} s");
        points.push(Point { volumes, times });
    }
    daemon.stop();
    Ok(points)
}

fn rekey(daemon: &Daemon) {
    let handle = daemon.local.ok("RekeySoftwareEncryptionAtRestMasterKey", json!({}))["asyncHandle"].clone();
    let result = daemon.local.wait_for(&handle);
    assert_eq!(result["result"]["state"], "Ready", "{result}");
}

/// Makes volumes until there are `to`.
fn make(clients: &mut [Client], from: usize, to: usize) {
    let next = AtomicUsize::new(from);
    thread::scope(|scope| {
        for client in clients {
            let next = &next;
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= to {
                        return;
                    }
                    make_volume(client, number);
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
