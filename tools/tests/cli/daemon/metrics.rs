//! `GET /metrics`: what a volume did, as a monitoring system reads it.

use super::{create_volume, io, rig, uri};
use crate::rig::{Up, tool, wait_until};

fn metrics(daemon: &Up) -> Option<String> {
    let url = format!("https://{}/metrics", daemon.ready["api"][0].as_str().unwrap());
    tool("curl", ["-sk", &url]).map(crate::rig::Ran::ok)
}

fn value(text: &str, series: &str) -> u64 {
    let line =
        text.lines().find_map(|line| line.strip_prefix(series)).unwrap_or_else(|| panic!("no {series}:\n{text}"));
    line.trim().parse().unwrap()
}

#[test]
fn operations_their_times_and_their_failures_are_told() {
    if ["curl", "qemu-io"].iter().any(|program| tool(program, ["--version"]).is_none()) {
        return;
    }
    let rig = rig();
    let daemon = rig.daemon();
    create_volume(&rig);
    io(&uri(&rig, "vol.1"), ["write -P 1 0 64k", "read -P 1 0 64k", "read 64k 4k", "flush", "write -z 1M 64k"]);
    let zeroes = "sear_io_operations_total{volume=\"vol.1\",operation=\"zero\"}";
    wait_until("the last operation", || metrics(&daemon).unwrap().contains(zeroes));
    let text = metrics(&daemon).unwrap();
    for (operation, least) in [("read", 2), ("write", 1), ("flush", 1), ("zero", 1)] {
        let series = |name: &str| format!("{name}{{volume=\"vol.1\",operation=\"{operation}\"}}");
        let count = value(&text, &series("sear_io_operations_total"));
        assert!(count >= least, "{count} of {operation}");
        assert_eq!(value(&text, &series("sear_io_latency_seconds_count")), count);
        assert_eq!(value(&text, &series("sear_io_errors_total")), 0);
    }
    assert_eq!(value(&text, "sear_io_bytes_total{volume=\"vol.1\",operation=\"write\"}"), 128 << 10);
    // Asking again counts nothing twice.
    let again = metrics(&daemon).unwrap();
    let reads = "sear_io_operations_total{volume=\"vol.1\",operation=\"read\"}";
    assert_eq!(value(&again, reads), value(&text, reads));
    daemon.stop();
}
