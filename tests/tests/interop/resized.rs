//! A disk that is made larger while its file is served: the kernel sees it.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use datapath::blocking::BlockingDisk;
use datapath::disk::{Geometry, IoError};
use datapath::export::fuse::{Config, Server, UnmountError};
use keywrap::geometry::{ByteLen, SectorSize};
use sear_tests::rig::{Need, Run, require, wait_until};

/// A disk of zeroes whose length can change.
struct Growing(AtomicU64);

impl BlockingDisk for Growing {
    fn geometry(&self) -> Geometry {
        let len = ByteLen(self.0.load(Ordering::SeqCst));
        Geometry { len, sector_size: SectorSize::B4096, read_only: false, discards: false }
    }

    fn read_at(&self, buf: &mut [u8], _: u64) -> Result<(), IoError> {
        buf.fill(0);
        Ok(())
    }

    fn write_at(&self, _: &[u8], _: u64, _: bool) -> Result<(), IoError> {
        Ok(())
    }

    fn write_zeroes(&self, _: u64, _: u64, _: bool) -> Result<(), IoError> {
        Ok(())
    }

    fn trim(&self, _: u64, _: u64, _: bool) -> Result<(), IoError> {
        Ok(())
    }

    fn flush(&self) -> Result<(), IoError> {
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
    let disk = Arc::new(Growing(AtomicU64::new(8 << 20)));
    let (dir, source) = (folder.path().to_owned(), "sear:grows and grows".to_owned());
    let server = Server::mount(Config { disk: disk.clone(), dir, source, threads: 3 }).unwrap();
    let (file, handle) = (server.file(), server.handle());
    let running = thread::spawn(move || server.run());
    assert_eq!(fs::metadata(&file).unwrap().len(), 8 << 20);
    let device = Run::new("losetup").words("--find --show --direct-io=on").arg(&file).ok();
    let device = device.trim();
    disk.0.store(12 << 20, Ordering::SeqCst);
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
