//! A volume grows while it is served, and `sear top` tells what was done with it.

use sear_tests::rig::{Need, Run, Sear, require};

#[test]
fn a_volume_grows_while_it_is_served_and_its_work_is_counted() {
    if !require(&[Need::Tool("nbdinfo"), Need::Tool("qemu-io")]) {
        return;
    }
    let sear = Sear::new();
    let disk = sear.path("disk");
    let served = sear.up(&disk, ["--size", "8M"]);
    let qemu_io = |command: &str| Run::new("qemu-io").args(["-f", "raw", "-c", command, &served.uri()]).ok();
    qemu_io("write -P 7 0 1M");
    qemu_io("read -P 7 0 1M");
    let totals = sear.json(["top", "--totals"]);
    let volume = &totals["volumes"][0];
    assert_eq!(volume["size"], 8 << 20);
    assert_eq!(volume["written_bytes"].as_f64(), Some(f64::from(1 << 20)), "{totals}");
    assert_eq!(volume["read_bytes"].as_f64(), Some(f64::from(1 << 20)), "{totals}");

    let refused = sear.run().words("volume resize --size 4M").arg(&disk).fails();
    assert!(refused.output.contains("only grows"), "{}", refused.output);
    sear.run().words("volume resize --size 24M").arg(&disk).ok();
    let size = Run::new("nbdinfo").args(["--size", &served.uri()]).ok();
    assert_eq!(size.trim(), (24 << 20).to_string());
    qemu_io("write -P 9 23M 1M");
    qemu_io("read -P 9 23M 1M");
    qemu_io("read -P 7 0 1M");
    served.stop();

    // What it has grown to is what it is served with from now on; a volume that nobody serves grows as well.
    sear.run().words("volume resize --size 32M").arg(&disk).ok();
    let again = sear.up(&disk, [] as [&str; 0]);
    assert_eq!(Run::new("nbdinfo").args(["--size", &again.uri()]).ok().trim(), (32 << 20).to_string());
    Run::new("qemu-io").args(["-f", "raw", "-c", "read -P 9 23M 1M", &again.uri()]).ok();
    again.stop();
    assert!(sear.run().words("top --totals").ok().contains("no volume is served"));
}
