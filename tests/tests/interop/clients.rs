//! Real NBD clients: libnbd's tools and QEMU's.

use std::fs;

use sear_tests::rig::{Need, Run, Sear, Served, filled_file, free_port, require};
use serde_json::Value;

const SIZE: u64 = 24 << 20;

#[test]
fn nbdinfo_reads_what_the_export_offers() {
    if !require(&[Need::Tool("nbdinfo")]) {
        return;
    }
    let (sear, served) = served(&[]);
    let text = Run::new("nbdinfo").arg("--json").arg(served.uri()).ok();
    let info: Value = serde_json::from_str(&text).expect("nbdinfo prints JSON");
    assert_eq!(info["protocol"], "newstyle-fixed");
    assert_eq!(info["TLS"], false);
    assert_eq!(info["structured"], true);
    let export = &info["exports"][0];
    assert_eq!(export["export-name"], "vol");
    assert_eq!(export["export-size"], SIZE);
    assert_eq!(export["contexts"][0], "base:allocation");
    assert_eq!(export["is_read_only"], false);
    for can in ["can_flush", "can_fua", "can_multi_conn", "can_zero", "can_fast_zero", "can_df", "can_cache"] {
        assert_eq!(export[can], true, "{can}: {export}");
    }
    assert_eq!(export["block_size_preferred"], 4096, "{export}");
    served.stop();
    drop(sear);
}

#[test]
fn nbdinfo_lists_the_export_and_maps_it() {
    if !require(&[Need::Tool("nbdinfo")]) {
        return;
    }
    let (_sear, served) = served(&[]);
    let list = Run::new("nbdinfo").arg("--list").arg(served.uri()).ok();
    assert!(list.contains("vol"), "{list}");
    let map = Run::new("nbdinfo").words("--map --totals --json").arg(served.uri()).ok();
    let map: Value = serde_json::from_str(&map).expect("nbdinfo prints JSON");
    let total: u64 = map.as_array().expect("a list").iter().filter_map(|row| row["size"].as_u64()).sum();
    assert_eq!(total, SIZE);
    served.stop();
}

#[test]
fn a_read_only_export_says_so_and_reads() {
    if !require(&[Need::Tool("nbdinfo"), Need::Tool("nbdcopy")]) {
        return;
    }
    let (sear, served) = served(&[]);
    let (plain, copy) = (sear.path("plain"), sear.path("copy"));
    filled_file(&plain, 6, SIZE);
    Run::new("nbdcopy").arg("--flush").arg(&plain).arg(served.uri()).ok();
    served.stop();
    let read_only = sear.up(&sear.path("disk"), ["--read-only"]);
    assert!(Run::new("nbdinfo").words("--is read-only").arg(read_only.uri()).succeeds());
    Run::new("nbdcopy").arg(read_only.uri()).arg(&copy).ok();
    assert!(fs::read(&plain).expect("readable") == fs::read(&copy).expect("readable"));
    Run::new("nbdcopy").arg(&plain).arg(read_only.uri()).fails();
    read_only.stop();
}

#[test]
fn nbdcopy_in_and_out_survives_a_restart() {
    if !require(&[Need::Tool("nbdcopy")]) {
        return;
    }
    let (sear, served) = served(&[]);
    let (plain, copy) = (sear.path("plain"), sear.path("copy"));
    filled_file(&plain, 7, SIZE);
    Run::new("nbdcopy").words("--flush --connections=4 --requests=32").arg(&plain).arg(served.uri()).ok();
    served.stop();
    let served = sear.up(&sear.path("disk"), [""; 0]);
    Run::new("nbdcopy").words("--connections=4 --requests=32").arg(served.uri()).arg(&copy).ok();
    assert!(fs::read(&plain).expect("readable") == fs::read(&copy).expect("readable"));
    served.stop();
}

#[test]
fn qemu_img_converts_to_the_export_and_finds_it_identical() {
    if !require(&[Need::Tool("qemu-img")]) {
        return;
    }
    for sector_size in ["512", "4096"] {
        let (sear, served) = served(&["--sector-size", sector_size]);
        let plain = sear.path("plain");
        filled_file(&plain, 8, SIZE);
        Run::new("qemu-img").words("convert -n -f raw -O raw").arg(&plain).arg(served.uri()).ok();
        Run::new("qemu-img").words("compare -f raw -F raw").arg(&plain).arg(served.uri()).ok();
        served.stop();
    }
}

#[test]
fn qemu_img_finds_a_copy_of_sectors_that_were_never_written_identical() {
    if !require(&[Need::Tool("qemu-img"), Need::Tool("nbdcopy")]) {
        return;
    }
    let (sear, served) = served(&[]);
    let copy = sear.path("copy");
    Run::new("nbdcopy").arg(served.uri()).arg(&copy).ok();
    Run::new("qemu-img").words("compare -f raw -F raw").arg(&copy).arg(served.uri()).ok();
    served.stop();
}

#[test]
fn qemu_io_patterns_read_back_at_every_alignment() {
    if !require(&[Need::Tool("qemu-io")]) {
        return;
    }
    let (_sear, served) = served(&[]);
    let steps = [
        "write -P 0x11 0 1M",
        "write -P 0x22 512 512",
        "write -P 0x33 5k 11k",
        "write -f -P 0x44 1M 64k",
        "write -z 128k 64k",
        "write -z -u 192k 64k",
        "discard 256k 64k",
        "flush",
        "read -P 0x11 0 512",
        "read -P 0x22 512 512",
        "read -P 0x11 1k 4k",
        "read -P 0x33 5k 11k",
        "read -P 0x11 16k 112k",
        "read -P 0 128k 128k",
        "read -P 0x11 320k 704k",
        "read -P 0x44 1M 64k",
    ];
    qemu_io(&served, "raw", &steps);
    served.stop();
}

#[test]
fn a_qcow2_image_lives_on_the_export() {
    if !require(&[Need::Tool("qemu-img"), Need::Tool("qemu-io")]) {
        return;
    }
    let (_sear, served) = served(&[]);
    Run::new("qemu-img").words("create -q -f qcow2").arg(served.uri()).arg("12M").ok();
    qemu_io(&served, "qcow2", &["write -P 0x77 3M 5M", "write -P 0x78 4097 1025", "flush"]);
    qemu_io(&served, "qcow2", &["read -P 0x77 3M 5M", "read -P 0x78 4097 1025", "read -P 0 0 4097"]);
    Run::new("qemu-img").words("check -q -f qcow2").arg(served.uri()).ok();
    served.stop();
}

#[test]
fn the_export_is_served_over_tcp_too() {
    if !require(&[Need::Tool("nbdinfo")]) {
        return;
    }
    let port = free_port();
    let listen = format!("tcp:127.0.0.1:{port}");
    let (_sear, served) = served(&["--listen", &listen]);
    let size = Run::new("nbdinfo").arg("--size").arg(format!("nbd://127.0.0.1:{port}/vol")).ok();
    assert_eq!(size.trim(), SIZE.to_string());
    served.stop();
}

#[test]
fn sear_up_prints_the_uri_and_the_lines_to_mount_it() {
    let (_sear, served) = served(&[]);
    let log = served.log();
    assert!(log.contains(&served.uri()), "no NBD URI: {log}");
    for word in ["nbdfuse", "losetup", "mount"] {
        assert!(log.contains(word), "no `{word}` line: {log}");
    }
    served.stop();
}

fn qemu_io(served: &Served, format: &str, steps: &[&str]) {
    let run = Run::new("qemu-io").args(["-f", format]);
    let run = steps.iter().fold(run, |run, step| run.arg("-c").arg(step));
    let output = run.arg(served.uri()).ok();
    assert!(!output.contains("failed"), "{output}");
}

fn served(arguments: &[&str]) -> (Sear, Served) {
    let sear = Sear::new();
    let served = sear.up(&sear.path("disk"), ["--size", "24M"].iter().chain(arguments));
    (sear, served)
}
