//! Block devices that the guest serves to itself.

use std::env;
use std::error::Error;

use sear_tests::rig::Vm;

use crate::race::{self, Pace, Racer, Section};

/// See `guest/ublk.sh`.
pub(crate) fn run(pace: &Pace) -> Result<Section, Box<dyn Error>> {
    let vm = Vm::new();
    let plain = env::current_exe()?.with_file_name("examples").join("ublk_serve");
    if !plain.exists() {
        return Err(
            format!("{} is missing: cargo build --release -p datapath --example ublk_serve", plain.display()).into()
        );
    }
    vm.offer(&plain);
    let racer = |name, device| Racer { name, device, server: None };
    let racers = [
        racer("sear up --ublk", "/dev/race-sear"),
        racer("plain ublk server", "/dev/race-plain"),
        racer("loop device", "/dev/race-loop"),
        racer("dm-crypt on a loop device", "/dev/race-crypt"),
    ];
    race::run("Block devices in the guest, over files in memory", vm, include_str!("../guest/ublk.sh"), &racers, pace)
}
