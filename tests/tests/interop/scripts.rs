//! The scripts in `tests/scripts`, which drive libnbd's Python binding through every command and flag.

use std::path::Path;

use sear_tests::rig::{Need, PYTHON, Run, Sear, require};

#[test]
fn every_command_and_flag_does_what_it_says_with_4096_byte_sectors() {
    run("commands.py", &["--sector-size", "4096"]);
}

#[test]
fn every_command_and_flag_does_what_it_says_with_512_byte_sectors() {
    run("commands.py", &["--sector-size", "512"]);
}

#[test]
fn options_are_negotiated_in_any_order() {
    run("options.py", &[]);
}

#[test]
fn requests_outside_the_limits_are_refused_and_the_connection_lives() {
    run("limits.py", &[]);
}

#[test]
fn unaligned_requests_are_served_and_neighbours_keep_their_data() {
    run("unaligned.py", &["--sector-size", "4096"]);
}

#[test]
fn unaligned_requests_are_refused_under_the_strict_flag() {
    run("strict.py", &["--sector-size", "4096", "--strict-alignment"]);
}

#[test]
fn what_one_connection_flushed_every_connection_reads() {
    run("connections.py", &[]);
}

#[test]
fn a_trimmed_block_reads_as_something_once_discards_are_allowed() {
    run("trim.py", &["--allow-discards"]);
}

#[test]
fn a_trim_changes_nothing_while_discards_are_not_allowed() {
    run("no_trim.py", &[]);
}

fn run(script: &str, arguments: &[&str]) {
    if !require(&[Need::Python("nbd")]) {
        return;
    }
    let sear = Sear::new();
    let mut served = sear.up(&sear.path("disk"), ["--size", "64M"].iter().chain(arguments));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(script);
    Run::new(PYTHON).arg(script).arg(served.uri()).ok();
    served.assert_alive();
    served.stop();
}
