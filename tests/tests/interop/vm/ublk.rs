//! The volume as a block device of the machine that serves it.

use sear_tests::rig::{Need, Vm, require};

/// One boot for all of it; the guest's script says what it checks.
#[test]
#[ignore = "starts a virtual machine"]
fn a_block_device_is_served_mounted_recovered_and_removed() {
    if !require(&[Need::Vm, Need::Tool("fio"), Need::Tool("nbdcopy")]) {
        return;
    }
    let outcome = Vm::new().run(include_str!("../../../scripts/vm/ublk.sh"));
    println!("{}", outcome.ok());
}
