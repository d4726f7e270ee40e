//! The kernel's own NBD client.

use std::fs;

use sear_tests::rig::{Need, Run, Sear, Vm, filled_file, free_port, require};

const PLAINTEXT: u64 = 2 << 20;

/// One boot for all of it; the guest's script says what it checks.
#[test]
#[ignore = "starts a virtual machine"]
fn the_kernel_attaches_mounts_trims_and_survives_the_death_of_the_server() {
    if !require(&[Need::Vm, Need::Tool("nbd-client"), Need::Tool("fio"), Need::Tool("nbdcopy")]) {
        return;
    }
    let sear = Sear::new();
    let port = free_port();
    let address = format!("tcp:127.0.0.1:{port}");
    let disk = sear.path("disk");
    let size = PLAINTEXT.to_string();
    let served = sear.up(&disk, ["--size", &size, "--sector-size", "512", "--listen", &address]);

    let vm = Vm::new();
    fs::write(vm.share("host-port"), port.to_string()).expect("the file can be written");
    filled_file(&vm.share("plain"), 21, PLAINTEXT);
    let outcome = vm.run(include_str!("../../../scripts/vm/nbd.sh"));
    println!("{}", outcome.ok());

    let copy = sear.path("copy");
    Run::new("nbdcopy").arg(served.uri()).arg(&copy).ok();
    served.stop();
    Run::new("cmp").arg(&copy).arg(outcome.share("plain")).ok();
}
