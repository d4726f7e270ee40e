//! How many calls there are in a second. Not a test of correctness: `cargo test -p ekm-bridge --release -- --ignored speed`.

use std::time::Instant;

use serde_json::json;

use crate::Rig;

const CALLS: u32 = 2_000;

#[test]
#[ignore = "measures, checks nothing"]
fn calls_per_second() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    // The first call pays for Argon2.
    let begin = Instant::now();
    admin.ok("GetClusterInfo", json!({}));
    println!("first call: {:?}", begin.elapsed());
    measure("one connection", || drop(admin.ok("GetClusterInfo", json!({}))));
    measure("a connection for each call", || {
        admin.disconnect();
        drop(admin.ok("GetClusterInfo", json!({})));
    });
}

fn measure(what: &str, mut call: impl FnMut()) {
    let begin = Instant::now();
    (0..CALLS).for_each(|_| call());
    let rate = f64::from(CALLS) / begin.elapsed().as_secs_f64();
    println!("{what}: {rate:.0} calls/s, {:?} each", begin.elapsed() / CALLS);
}
