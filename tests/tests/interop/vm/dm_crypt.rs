//! The kernel's dm-crypt: the same volume, byte for byte, in both directions.

use std::fs::{self, File};
use std::path::Path;

use sear_tests::rig::{Cryptsetup, Need, Outcome, Run, Sear, Vm, filled_file, require};

/// A length that is no multiple of what a copy takes at once.
const PLAINTEXT: u64 = (3 << 20) + 4096;

const SECTOR_SIZES: [&str; 2] = ["512", "4096"];

/// One boot for both sector sizes and all directions; the guest's script says what it does.
#[test]
#[ignore = "starts a virtual machine"]
fn dm_crypt_reads_what_we_write_and_writes_what_we_read() {
    if !require(&[Need::Vm, Need::Tool("cryptsetup"), Need::Tool("dmsetup"), Need::Tool("nbdcopy")]) {
        return;
    }
    let sear = Sear::new();
    let mut vm = Vm::new();
    fs::write(vm.share("passphrase"), "a kernel without Sear").expect("the file can be written");
    for sector_size in SECTOR_SIZES {
        vm = prepare(&sear, vm, sector_size);
    }
    let outcome = vm.run(include_str!("../../../scripts/vm/dm-crypt.sh"));
    println!("{}", outcome.ok());
    for sector_size in SECTOR_SIZES {
        reads_as(&sear, &outcome, sector_size, "ours", "theirs");
        let formatted = outcome.share(&format!("{sector_size}.empty"));
        sear.run().words("volume adopt --passphrase-file").arg(outcome.share("passphrase")).arg(&formatted).ok();
        reads_as(&sear, &outcome, sector_size, "empty", "plain");
    }
}

/// Two disks: a volume of ours with `SIZE.plain` in it, written through the data path, and zeroes.
fn prepare(sear: &Sear, vm: Vm, sector_size: &str) -> Vm {
    let share = |name: &str| vm.share(&format!("{sector_size}.{name}"));
    let (disk, empty, plain) = (share("ours"), share("empty"), share("plain"));
    filled_file(&plain, 31, PLAINTEXT);
    filled_file(&share("theirs"), 32, PLAINTEXT);
    let (size, passphrase) = (PLAINTEXT.to_string(), vm.share("passphrase"));
    sear.run().words("volume create --sector-size").args([sector_size, "--size", &size]).arg(&disk).ok();
    sear.run().words("volume passwd --passphrase-file").arg(&passphrase).arg(&disk).ok();
    // The passphrase stays, but Argon2 would take half a minute in emulation.
    let convert = "luksConvertKey --key-slot 1 --pbkdf pbkdf2 --pbkdf-force-iterations 1000";
    Cryptsetup::with_key_file(passphrase).run().words(convert).arg(&disk).ok();
    fs::rename(sear.export_key(&disk), share("key")).expect("both folders are temporary ones");
    let served = sear.up(&disk, [""; 0]);
    Run::new("nbdcopy").arg("--flush").arg(&plain).arg(served.uri()).ok();
    served.stop();
    let len = fs::metadata(&disk).expect("the volume is there").len();
    File::create_new(&empty).and_then(|file| file.set_len(len)).expect("the file can be made");
    vm.disk(&disk).disk(&empty)
}

/// The volume in the file `SIZE.VOLUME` reads as the file `SIZE.PLAIN` through our data path.
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
