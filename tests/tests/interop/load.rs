//! fio writes at random, deep and from several connections, and verifies every block it wrote.

use sear_tests::rig::{Mounted, Need, Run, Sear, require};

#[test]
fn fio_verifies_4k_blocks_at_depth_32_over_four_connections() {
    verify(&[], "--iodepth=32 --bs=4k --rw=randwrite");
}

#[test]
fn fio_verifies_mixed_block_sizes_and_flushes() {
    verify(&[], "--iodepth=32 --bsrange=4k-256k --rw=randwrite --fsync=16");
}

#[test]
#[ignore = "takes its time"]
fn fio_verifies_blocks_of_any_length_up_to_a_megabyte_at_depth_32() {
    verify_all(256, &[], "--iodepth=32 --bsrange=512-1M --rw=randrw --fsync=64 --loops=12");
}

#[test]
fn fio_verifies_512_byte_blocks_on_512_byte_sectors() {
    verify(&["--sector-size", "512"], "--iodepth=32 --bs=512 --rw=randwrite");
}

#[test]
fn fio_verifies_512_byte_blocks_on_4096_byte_sectors() {
    verify(&["--sector-size", "4096"], "--iodepth=32 --bs=512 --rw=randwrite");
}

#[test]
fn fio_verifies_trims_between_writes() {
    // One at a time: fio sends the write of a block without waiting for its trim.
    verify(&["--allow-discards"], "--iodepth=1 --bs=4k --rw=randtrimwrite");
}

#[test]
#[ignore = "mounts FUSE and uses loop devices as root"]
fn fio_verifies_a_block_device_at_depth_16() {
    if !require(&[Need::Tool("fio"), Need::Root, Need::Fuse, Need::Loop, Need::Tool("nbdfuse")]) {
        return;
    }
    let sear = Sear::new();
    let served = sear.up(&sear.path("disk"), ["--size", "32M"]);
    let device = Mounted::attach(&served.uri());
    Run::new("fio")
        .words("--name=verify --ioengine=libaio --direct=1 --iodepth=16 --bs=4k --rw=randwrite --size=32M")
        .words("--verify=crc32c --verify_fatal=1 --verify_state_save=0 --do_verify=1 --randrepeat=1")
        .arg(format!("--filename={}", device.device()))
        .limit(300)
        .ok();
    device.detach();
    served.stop();
}

/// Four jobs, each with a connection and a quarter of the volume of its own.
fn verify(volume: &[&str], load: &str) {
    verify_all(32, volume, load);
}

/// The same on a volume of so many MiB.
fn verify_all(size: u32, volume: &[&str], load: &str) {
    if !require(&[Need::Tool("fio")]) {
        return;
    }
    let sear = Sear::new();
    let (size, quarter) = (format!("{size}M"), format!("{}M", size / 4));
    let served = sear.up(&sear.path("disk"), ["--size", &size].iter().chain(volume));
    Run::new("fio")
        .words("--name=verify --ioengine=nbd --numjobs=4 --thread")
        .words(&format!("--size={quarter} --offset_increment={quarter}"))
        .words("--verify=crc32c --verify_fatal=1 --verify_state_save=0 --do_verify=1 --randrepeat=1")
        .words(load)
        .arg(format!("--uri={}", served.uri()))
        .limit(300)
        .ok();
    served.stop();
}
