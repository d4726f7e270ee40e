//! The kernel's dm-crypt: the same volume, byte for byte, in both directions.

use std::fs;
use std::path::Path;

use sear_tests::rig::{Need, Outcome, Run, Sear, Vm, filled_file, require};

/// A length that is no multiple of what a copy takes at once.
const PLAINTEXT: u64 = (12 << 20) + 4096;

/// One boot for both sector sizes and all directions; the guest's script says what it does.
#[test]
#[ignore = "starts a virtual machine"]
fn dm_crypt_reads_what_we_write_and_writes_what_we_read() {
    if !require(&[Need::Vm, Need::Tool("cryptsetup"), Need::Tool("dmsetup"), Need::Tool("nbdcopy")]) {
        return;
    }
    let sear = Sear::new();
    let vm = Vm::new();
    fs::write(vm.share("passphrase"), "a kernel without Sear").expect("the file can be written");
    for sector_size in ["512", "4096"] {
        prepare(&sear, &vm, sector_size);
    }
    let outcome = vm.run(include_str!("../../../scripts/vm/dm-crypt.sh"));
    println!("{}", outcome.ok());
    for sector_size in ["512", "4096"] {
        reads_as(&sear, &outcome, sector_size, "written", "theirs");
        let formatted = outcome.share(&format!("{sector_size}.formatted"));
        sear.run().words("volume adopt --passphrase-file").arg(outcome.share("passphrase")).arg(&formatted).ok();
        reads_as(&sear, &outcome, sector_size, "formatted", "plain");
    }
}

/// A volume of ours with `SIZE.plain` in it, written through the data path, and the keys that open it elsewhere.
fn prepare(sear: &Sear, vm: &Vm, sector_size: &str) {
    let share = |name: &str| vm.share(&format!("{sector_size}.{name}"));
    let (disk, plain) = (share("disk"), share("plain"));
    filled_file(&plain, 31, PLAINTEXT);
    filled_file(&share("theirs"), 32, PLAINTEXT);
    let (size, passphrase) = (PLAINTEXT.to_string(), vm.share("passphrase"));
    sear.run().words("volume create --sector-size").args([sector_size, "--size", &size]).arg(&disk).ok();
    if sector_size == "4096" {
        sear.run().words("volume passwd --passphrase-file").arg(passphrase).arg(&disk).ok();
    }
    fs::rename(sear.export_key(&disk), share("key")).expect("both folders are temporary ones");
    let served = sear.up(&disk, [""; 0]);
    Run::new("nbdcopy").arg("--flush").arg(&plain).arg(served.uri()).ok();
    served.stop();
}

/// The volume `SIZE.VOLUME` reads as the file `SIZE.PLAIN` through our data path.
fn reads_as(sear: &Sear, outcome: &Outcome, sector_size: &str, volume: &str, plain: &str) {
    let share = |name: &str| outcome.share(&format!("{sector_size}.{name}"));
    let copy = sear.path("copy");
    let served = sear.up(&share(volume), ["--sector-size", sector_size]);
    Run::new("nbdcopy").arg(served.uri()).arg(&copy).ok();
    served.stop();
    assert_same(&copy, &share(plain));
    fs::remove_file(copy).expect("the file is there");
}

fn assert_same(left: &Path, right: &Path) {
    Run::new("cmp").arg(left).arg(right).ok();
}
