//! What reaches the disk behind a FUSE file, and what the kernel sees of a disk that changes.

use std::fs;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use datapath::disk::BlockingDisk;
use datapath::disk::{Geometry, IoError};
use datapath::export::fuse::{Config, Server, UnmountError};
use keywrap::geometry::{ByteLen, SectorSize};
use rustix::fs::OFlags;
use sear_tests::rig::{Need, Run, require, wait_until};

/// A disk of zeroes whose length can change, and that counts.
#[derive(Default)]
struct Counting {
    len: AtomicU64,
    flushes: AtomicU64,
    durable_writes: AtomicU64,
}

impl BlockingDisk for Counting {
    fn geometry(&self) -> Geometry {
        let len = ByteLen(self.len.load(Ordering::SeqCst));
        Geometry { len, sector_size: SectorSize::B4096, read_only: false, discards: false }
    }

    fn read_at(&self, buf: &mut [u8], _: u64) -> Result<(), IoError> {
        buf.fill(0);
        Ok(())
    }

    fn write_at(&self, _: &[u8], _: u64, fua: bool) -> Result<(), IoError> {
        self.durable_writes.fetch_add(u64::from(fua), Ordering::SeqCst);
        Ok(())
    }

    fn write_zeroes(&self, _: u64, _: u64, _: bool) -> Result<(), IoError> {
        Ok(())
    }

    fn trim(&self, _: u64, _: u64, _: bool) -> Result<(), IoError> {
        Ok(())
    }

    fn flush(&self) -> Result<(), IoError> {
        self.flushes.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[test]
#[ignore = "mounts FUSE and uses loop devices as root"]
fn a_disk_that_grows_makes_its_file_and_a_loop_device_over_it_grow() {
    if !require(&[Need::Root, Need::Fuse, Need::Loop, Need::Tool("losetup")]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(Counting { len: AtomicU64::new(8 << 20), ..Counting::default() });
    let (dir, source) = (folder.path().to_owned(), "sear:grows and grows".to_owned());
    let server = Server::mount(Config { disk: disk.clone(), dir, source, threads: 3 }).unwrap();
    let (file, handle) = (server.file(), server.handle());
    let running = thread::spawn(move || server.run());
    assert_eq!(fs::metadata(&file).unwrap().len(), 8 << 20);
    let device = Run::new("losetup").words("--find --show --direct-io=on").arg(&file).ok();
    let device = device.trim();
    disk.len.store(12 << 20, Ordering::SeqCst);
    assert_eq!(fs::metadata(&file).unwrap().len(), 12 << 20);
    Run::new("losetup").args(["-c", device]).ok();
    let size = fs::read_to_string(format!("/sys/block/{}/size", &device[5..])).unwrap();
    assert!(matches!(handle.unmount(), Err(UnmountError::Busy)), "a loop device has the file open");
    Run::new("losetup").args(["-d", device]).ok();
    let state = Path::new("/sys/block").join(&device[5..]).join("loop");
    wait_until("the loop device to go", || !state.exists());
    assert_eq!(size.trim().parse::<u64>().unwrap() * 512, 12 << 20);
    wait_until("the file to be free", || handle.unmount().is_ok());
    handle.unmount().unwrap();
    running.join().unwrap().unwrap();
}

#[test]
#[ignore = "mounts FUSE as root"]
fn a_sync_and_a_close_flush_the_disk_and_a_synchronous_write_is_durable_by_itself() {
    if !require(&[Need::Root, Need::Fuse]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(Counting { len: AtomicU64::new(1 << 20), ..Counting::default() });
    let (dir, source) = (folder.path().to_owned(), "sear:counts".to_owned());
    let server = Server::mount(Config { disk: disk.clone(), dir, source, threads: 2 }).unwrap();
    let (path, handle) = (server.file(), server.handle());
    let running = thread::spawn(move || server.run());
    let flushes = || disk.flushes.load(Ordering::SeqCst);
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&[1; 4096], 0).unwrap();
    assert_eq!((flushes(), disk.durable_writes.load(Ordering::SeqCst)), (0, 0));
    file.sync_data().unwrap();
    assert_eq!(flushes(), 1, "fdatasync");
    file.sync_all().unwrap();
    assert_eq!(flushes(), 2, "fsync");
    drop(file);
    assert_eq!(flushes(), 3, "close");
    let synchronous = OFlags::DSYNC.bits().cast_signed();
    let file = fs::OpenOptions::new().write(true).custom_flags(synchronous).open(&path).unwrap();
    file.write_all_at(&[1; 4096], 0).unwrap();
    assert!(disk.durable_writes.load(Ordering::SeqCst) == 1 || flushes() > 3, "the write is not durable");
    drop(file);
    wait_until("the file to be free", || handle.unmount().is_ok());
    let before = flushes();
    running.join().unwrap().unwrap();
    assert!(flushes() >= before && flushes() > 4, "the end flushes once more");
}
