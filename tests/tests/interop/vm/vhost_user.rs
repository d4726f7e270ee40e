//! Volumes as disks of a virtual machine, without NBD between.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sear_tests::rig::{Need, Run, Sear, Served, Vm, filled_file, require};

const PLAINTEXT: u64 = 2 << 20;

/// One boot for all of it; the guest's script says what it checks.
#[test]
#[ignore = "starts a virtual machine"]
fn a_guest_mounts_verifies_and_trims_and_its_server_dies_and_comes_back() {
    if !require(&[Need::Vm, Need::Tool("fio"), Need::Tool("nbdcopy"), Need::Tool("e2fsck"), Need::Tool("debugfs")]) {
        return;
    }
    let sear = Sear::new();
    let (disk, fixed, plain) = (sear.path("disk"), sear.path("fixed"), sear.path("plain"));
    filled_file(&plain, 33, PLAINTEXT);
    let size = PLAINTEXT.to_string();
    let writable = sear.up(&fixed, ["--size", &size, "--sector-size", "512"]);
    Run::new("nbdcopy").arg(&plain).arg(writable.uri()).ok();
    writable.stop();
    let (first, second) = (sear.path("first.sock"), sear.path("second.sock"));
    let serve = || up(&sear, &disk, &first, &["--size", "192M", "--allow-discards"]);
    let mut served = serve();
    let read_only = up(&sear, &fixed, &second, &["--read-only"]);

    let vm = device(device(Vm::new().shared_memory(1024), "a", &first), "b", &second);
    fs::copy(&plain, vm.share("plain")).expect("the file can be copied");
    let mut running = vm.start(include_str!("../../../scripts/vm/vhost-user.sh"));
    running.await_guest("load.killed");
    served.crash();
    served = serve();
    running.tell("killed");
    running.await_guest("load.ended");
    served.stop();
    served = serve();
    running.tell("ended");
    running.await_guest("full");
    let full = blocks(&disk);
    running.tell("measured");
    running.await_guest("small");
    sear.run().words("volume resize --size 256M").arg(&disk).ok();
    let outcome = running.wait();
    println!("{}", outcome.ok());
    assert!(blocks(&disk) + (48 << 11) < full, "fstrim gave nothing back: {full} blocks, then {}", blocks(&disk));

    // The same volume by the other export.
    let copy = sear.path("copy");
    Run::new("nbdcopy").arg(served.uri()).arg(&copy).ok();
    served.stop();
    read_only.stop();
    Run::new("e2fsck").arg("-fn").arg(&copy).ok();
    let kept = sear.path("kept");
    Run::new("debugfs").args(["-R", &format!("dump /kept {}", kept.display())]).arg(&copy).ok();
    let sum = fs::read_to_string(outcome.share("sum")).expect("the guest has left the sum");
    assert_eq!(Run::new("sha256sum").arg(&kept).ok().split(' ').next(), sum.split(' ').next());
}

fn up(sear: &Sear, volume: &Path, socket: &Path, more: &[&str]) -> Served {
    let socket = socket.to_str().expect("temporary folders have UTF-8 names");
    sear.up(volume, [&["--vhost-user", socket], more].concat())
}

/// Gives the guest a disk, which comes back when its server does.
fn device(vm: Vm, id: &str, socket: &Path) -> Vm {
    vm.qemu(["-chardev", &format!("socket,id={id},path={},reconnect=1", socket.display())])
        .qemu(["-device", &format!("vhost-user-blk-pci,chardev={id},num-queues=2")])
}

/// What a file takes, in blocks of 512 bytes.
fn blocks(file: &Path) -> u64 {
    fs::metadata(file).expect("the file is there").blocks()
}
