//! Rekeys of many volumes: how long they take, and how that grows.

use std::error::Error;

use serde_json::json;

use crate::figure::Figure;
use crate::world::{World, https, new_volume, seconds};

/// What was promised for a thousand volumes.
const THOUSAND_SECONDS: f64 = 10.0;
/// Volumes that one NBD server offers; the others are closed while they are rekeyed.
const OPEN: usize = 1000;
/// Rekeys of which the middle one counts.
const REKEYS: usize = 3;

pub(crate) fn measure(most: usize) -> Result<Vec<Figure>, Box<dyn Error>> {
    let (world, daemon) = World::new(1)?;
    let mut client = https(&world, &daemon)?;
    let (mut made, mut figures) = (0, Vec::new());
    for count in [250, 500, 1000, 2000, 4000].into_iter().filter(|count| *count <= most) {
        for number in made + 1..=count {
            client.ok("CreateVolume", new_volume());
            if number > OPEN {
                client.ok("ModifyVolume", json!({"volumeID": number, "access": "locked"}));
            }
        }
        made = count;
        let rekey = || {
            let handle = daemon.local.ok("RekeySoftwareEncryptionAtRestMasterKey", json!({}))["asyncHandle"].clone();
            let result = daemon.local.wait_for(&handle);
            assert_eq!(result["result"]["state"], "Ready", "{result}");
        };
        let times: Vec<f64> = (0..REKEYS).map(|_| seconds(rekey).0).collect();
        let figure = Figure::median(format!("rekey of {count} volumes, the old key destroyed"), times, "s");
        figures.push(if count == OPEN { figure.at_most(THOUSAND_SECONDS) } else { figure });
    }
    daemon.stop();
    Ok(figures)
}
