//! Calls of the API, one after the other.

use std::error::Error;

use sear_tests::rig::Node;
use sear_tests::rig::https::Client;
use serde_json::{Value, json};

use crate::figure::Figure;
use crate::world::{World, https, new_volume, seconds};

/// Calls that only read.
const READS: u32 = 1000;
/// Calls that make something durable.
const WRITES: u32 = 100;

pub(crate) fn measure() -> Result<Vec<Figure>, Box<dyn Error>> {
    let mut figures = of_node(Node::with_drives(1), "state on a metadata drive")?;
    figures.extend(of_node(Node::new(), "state in the state directory")?);
    Ok(figures)
}

fn of_node(node: Node, place: &str) -> Result<Vec<Figure>, Box<dyn Error>> {
    let (world, daemon) = World::of(node, 1)?;
    let mut client = https(&world, &daemon)?;
    let mut figures = Vec::new();
    for (method, params, count) in [
        ("GetClusterInfo", json!({}), READS),
        ("ListKeyServersKmip", json!({}), READS),
        ("CreateVolume", new_volume(), WRITES),
    ] {
        for fresh in [false, true] {
            let rate = rate(&mut client, method, &params, count, fresh);
            figures.push(Figure { what: format!("{}; {place}", rate.what), ..rate });
        }
    }
    daemon.stop();
    Ok(figures)
}

fn rate(client: &mut Client, method: &str, params: &Value, count: u32, fresh: bool) -> Figure {
    let (taken, ()) = seconds(|| {
        for _ in 0..count {
            if fresh {
                client.disconnect();
            }
            client.ok(method, params.clone());
        }
    });
    let how = if fresh { "a new connection for each call" } else { "one connection" };
    Figure::new(format!("{method}, {how}"), f64::from(count) / taken, "calls/s")
}
