//! A volume as a file: what its system calls mean, and real filesystems on a loop device over it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, SeekFrom, fallocate, seek};
use rustix::io::Errno;
use rustix::thread::CapabilitySet;
use sear_tests::rig::{FileExport, Need, Run, Sear, pattern, require, wait_until};

const NEEDS: [Need; 5] = [Need::Root, Need::Fuse, Need::Loop, Need::Tool("losetup"), Need::Tool("fio")];

#[test]
#[ignore = "mounts FUSE as root"]
fn fio_verifies_the_file_at_depth_16() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, export) = exported(&["--size", "64M"]);
    fio(&export.file(), "--ioengine=libaio --direct=1 --iodepth=16 --bs=4k --rw=randwrite --size=32M");
    fio(
        &export.file(),
        "--ioengine=libaio --direct=1 --iodepth=16 --bsrange=4k-1M --rw=randwrite --size=64M --fsync=8",
    );
    fio(&export.file(), "--ioengine=psync --bs=512 --rw=randwrite --size=2M");
    export.stop();
    drop(sear);
}

#[test]
#[ignore = "mounts FUSE as root"]
fn the_file_is_as_long_as_the_volume_and_ends_there() {
    if !require(&NEEDS) {
        return;
    }
    let (_sear, export) = exported(&["--size", "8M"]);
    let file = open(&export.file());
    let end = 8 << 20;
    let facts = file.metadata().unwrap();
    assert_eq!((facts.len(), facts.mode() & 0o7777), (end, 0o600));
    let bytes = pattern(1, 10_000);
    file.write_all_at(&bytes, 4_095).unwrap();
    let mut back = vec![0; 10_000];
    file.read_exact_at(&mut back, 4_095).unwrap();
    assert!(back == bytes, "an unaligned range reads as it was written");
    assert_eq!(file.read_at(&mut back, end).unwrap(), 0);
    assert_eq!(file.read_at(&mut back, end - 100).unwrap(), 100);
    assert_eq!(errno(file.write_at(&bytes, end)), Some(Errno::NOSPC));
    assert_eq!(file.write_at(&bytes, end - 100).unwrap(), 100);
    assert_eq!(errno(file.set_len(end + 1)), Some(Errno::PERM));
    assert_eq!(seek(&file, SeekFrom::Data(77)).unwrap(), 77);
    assert_eq!(seek(&file, SeekFrom::Hole(77)).unwrap(), end);
    assert_eq!(seek(&file, SeekFrom::Data(end)), Err(Errno::NXIO));
    let others = File::create(export.file().with_file_name("other"));
    assert!(others.is_err(), "there is one file and no other");
    drop(file);
    export.stop();
}

#[test]
#[ignore = "mounts FUSE as root"]
fn zeroed_and_punched_ranges_read_as_zeroes_and_nothing_else_changes() {
    if !require(&NEEDS) {
        return;
    }
    let (_sear, export) = exported(&["--size", "8M", "--allow-discards"]);
    let file = open(&export.file());
    let mut model = pattern(2, 4 << 20);
    file.write_all_at(&model, 0).unwrap();
    let ranges = [(FallocateFlags::PUNCH_HOLE, 4096, 1 << 20), (FallocateFlags::ZERO_RANGE, 2_000_001, 12_345)];
    for (mode, offset, len) in ranges {
        fallocate(&file, mode | FallocateFlags::KEEP_SIZE, offset, len).unwrap();
        let (start, end) = (usize::try_from(offset).unwrap(), usize::try_from(offset + len).unwrap());
        model[start..end].fill(0);
    }
    let mut found = vec![1; model.len()];
    file.read_exact_at(&mut found, 0).unwrap();
    assert!(found == model, "a range reads as something else");
    assert_eq!(fallocate(&file, FallocateFlags::empty(), 0, 4096), Err(Errno::OPNOTSUPP));
    drop(file);
    export.stop();
}

#[test]
#[ignore = "mounts FUSE as root"]
fn without_discards_a_hole_is_refused_so_that_mkfs_does_not_fill_the_backing() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, export) = exported(&["--size", "1G"]);
    let punch = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    assert_eq!(fallocate(open(&export.file()), punch, 0, 4096), Err(Errno::OPNOTSUPP));
    let device = attach(&export.file(), &[]);
    Run::new("mkfs.ext4").words("-q").arg(&device).ok();
    detach(&device);
    export.stop();
    let blocks = std::fs::metadata(sear.path("disk")).unwrap().blocks();
    assert!(blocks * 512 < 256 << 20, "{} bytes are allocated for an empty filesystem", blocks * 512);
}

#[test]
#[ignore = "mounts FUSE as root"]
fn a_read_only_file_takes_no_change() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, export) = exported(&["--size", "8M"]);
    let bytes = pattern(3, 4096);
    open(&export.file()).write_all_at(&bytes, 8192).unwrap();
    export.stop();
    let export = FileExport::start(&sear, &sear.path("disk"), ["--read-only"]);
    assert_eq!(errno(OpenOptions::new().write(true).open(export.file())), Some(Errno::ROFS));
    let mut back = vec![0; 4096];
    File::open(export.file()).unwrap().read_exact_at(&mut back, 8192).unwrap();
    assert!(back == bytes, "what was written before is there");
    export.stop();
}

#[test]
#[ignore = "mounts FUSE, uses loop devices and mounts as root"]
fn ext4_on_a_loop_device_over_the_file_is_clean_after_load_and_trim() {
    if !require(&NEEDS) {
        return;
    }
    filesystem("256M", "mkfs.ext4 -q", "e2fsck -f -n");
}

#[test]
#[ignore = "mounts FUSE, uses loop devices and mounts as root"]
fn xfs_on_a_loop_device_over_the_file_is_clean_after_load_and_trim() {
    if !require(&NEEDS) || !require(&[Need::Tool("mkfs.xfs")]) {
        return;
    }
    filesystem("320M", "mkfs.xfs -q", "xfs_repair -n");
}

#[test]
#[ignore = "mounts FUSE and uses loop devices as root"]
fn a_server_that_is_asked_to_stop_serves_until_its_file_is_free() {
    if !require(&NEEDS) {
        return;
    }
    let (_sear, export) = exported(&["--size", "64M"]);
    let device = attach(&export.file(), &[]);
    export.ask_to_stop();
    wait_until("the server to say why it stays", || export.log().contains("the file is in use"));
    fio(Path::new(&device), "--ioengine=libaio --direct=1 --iodepth=16 --bs=4k --rw=randwrite --size=4M");
    detach(&device);
    export.wait();
}

#[test]
#[ignore = "mounts FUSE as root"]
fn every_thread_of_the_server_is_an_io_flusher() {
    // include/linux/sched.h; field 9 of proc_pid_stat(5)
    const PF_MEMALLOC_NOIO: u64 = 0x0008_0000;
    if !require(&NEEDS) {
        return;
    }
    let may = rustix::thread::capabilities(None).expect("capabilities can be read").effective;
    if !may.contains(CapabilitySet::SYS_RESOURCE) {
        eprintln!("skipped, because root has no CAP_SYS_RESOURCE here, which PR_SET_IO_FLUSHER needs");
        return;
    }
    let (_sear, export) = exported(&["--size", "8M"]);
    let tasks = std::fs::read_dir(format!("/proc/{}/task", export.pid())).unwrap();
    let mut count = 0;
    for task in tasks {
        let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap();
        let flags: u64 = stat.rsplit(')').next().unwrap().split_whitespace().nth(6).unwrap().parse().unwrap();
        assert!(flags & PF_MEMALLOC_NOIO != 0, "memory reclaim may wait for this thread: {stat}");
        count += 1;
    }
    assert!(count > 2, "a server has threads");
    export.stop();
}

fn exported(arguments: &[&str]) -> (Sear, FileExport) {
    let sear = Sear::new();
    let export = FileExport::start(&sear, &sear.path("disk"), arguments);
    (sear, export)
}

fn filesystem(size: &str, make: &str, check: &str) {
    let (sear, export) = exported(&["--size", size, "--allow-discards"]);
    let device = attach(&export.file(), &[]);
    run(make, Path::new(&device));
    let dir = sear.path("mounted");
    std::fs::create_dir(&dir).expect("the folder can be made");
    Run::new("mount").arg(&device).arg(&dir).ok();
    fio(
        &dir.join("load"),
        "--ioengine=libaio --direct=1 --iodepth=16 --bsrange=4k-64k --rw=randwrite --size=24M --fsync=32",
    );
    std::fs::remove_file(dir.join("load")).expect("the file can be removed");
    std::fs::write(dir.join("kept"), pattern(4, 3 << 20)).expect("the file can be written");
    Run::new("sync").arg("--file-system").arg(&dir).ok();
    Run::new("fstrim").arg(&dir).ok();
    Run::new("umount").arg(&dir).ok();
    run(check, Path::new(&device));
    Run::new("mount").arg(&device).arg(&dir).ok();
    assert!(
        std::fs::read(dir.join("kept")).expect("the file can be read") == pattern(4, 3 << 20),
        "a file has changed"
    );
    Run::new("umount").arg(&dir).ok();
    detach(&device);
    export.stop();
}

fn run(line: &str, device: &Path) {
    let (program, options) = line.split_once(' ').expect("a program and its options");
    Run::new(program).words(options).arg(device).ok();
}

fn fio(file: &Path, load: &str) {
    Run::new("fio")
        .words("--name=verify --verify=crc32c --verify_fatal=1 --verify_state_save=0 --do_verify=1 --randrepeat=1")
        .words(load)
        .arg(format!("--filename={}", file.display()))
        .ok();
}

fn attach(file: &Path, options: &[&str]) -> String {
    let device = Run::new("losetup").words("--find --show --direct-io=on").args(options).arg(file).ok();
    device.trim().to_owned()
}

fn detach(device: &str) {
    Run::new("losetup").args(["-d", device]).ok();
    let state = PathBuf::from("/sys/block").join(&device[5..]).join("loop");
    wait_until("the loop device to go", || !state.exists());
}

fn open(file: &Path) -> File {
    OpenOptions::new().read(true).write(true).open(file).expect("the file can be opened")
}

fn errno<T>(result: io::Result<T>) -> Option<Errno> {
    result.err().as_ref().and_then(Errno::from_io_error)
}
