//! A medium that runs full under a volume: a block device whose blocks are given out as they are written, on a
//! filesystem that has no more of them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datapath::backend::Backend;
use datapath::backend::file::FileBackend;
use datapath::disk::{BlockingDisk, IoError};
use datapath::volume::{DiskOptions, Volume};
use keywrap::geometry::{ByteLen, DataSegment, SectorSize};
use keywrap::keys::VolumeKey;
use sear_tests::rig::{LoopDevice, LoopMode, Need, Run, Sear, require, wait_until};

use crate::nbd_client::{Client, FLUSH, READ, WRITE};

/// The first half is for the header.
const LEN: u64 = 32 << 20;
const ROOM: &str = "size=8M";
/// A page: the kernel's loop driver (6.18) calls a write good of which only a part found room.
const CHUNK: usize = 4096;
const NEEDS: [Need; 4] = [Need::Root, Need::Loop, Need::Tmpfs, Need::Tool("losetup")];

/// A loop device of [`LEN`] bytes on a tmpfs that has room for a quarter of them.
struct Thin {
    device: Option<LoopDevice>,
    folder: PathBuf,
}

impl Thin {
    fn new(folder: &Path) -> Self {
        fs::create_dir(folder).expect("the folder can be made");
        Run::new("mount").words("-t tmpfs -o").arg(ROOM).arg("none").arg(folder).ok();
        let file = folder.join("sparse");
        File::create(&file).and_then(|file| file.set_len(LEN)).expect("a sparse file");
        let device = Some(LoopDevice::attach(&file, LoopMode::ReadWrite));
        Self { device, folder: folder.to_owned() }
    }

    fn path(&self) -> &Path {
        self.device.as_ref().expect("it is attached").path()
    }
}

impl Drop for Thin {
    fn drop(&mut self) {
        self.device = None;
        // The kernel lets go of the device a moment after it is told to.
        wait_until("the filesystem to be free", || Run::new("umount").arg(&self.folder).succeeds());
    }
}

/// Written through the server: what was acknowledged by a flush is there, the failure is told, and nothing is called
/// durable from then on.
#[test]
#[ignore = "mounts tmpfs and uses loop devices as root"]
fn a_full_medium_is_told_to_the_client_and_nothing_acknowledged_is_lost() {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    let thin = Thin::new(&sear.path("thin"));
    let mut served = sear.up(thin.path(), [] as [&str; 0]);
    let mut client = Client::connect(served.socket(), "vol", true).expect("the server takes clients");
    let mut flushed = 0;
    let mut refused = None;
    for place in 0..(LEN / 2) / CHUNK as u64 {
        let data = vec![u8::try_from(place % 251).expect("small"); CHUNK];
        client.send((WRITE, 0), place, place * CHUNK as u64, CHUNK, &data).expect("the server listens");
        let written = client.reply().expect("the server answers").1;
        client.send((FLUSH, 0), place, 0, 0, &[]).expect("the server listens");
        let synced = client.reply().expect("the server answers").1;
        match written.and(synced) {
            Ok(_) if refused.is_none() => flushed = place + 1,
            Ok(_) => panic!("a flush succeeded after a write had failed"),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    assert!(flushed > 64, "nothing could be written at all");
    assert!(matches!(refused, Some(5 | 28)), "EIO or ENOSPC was expected: {refused:?}");
    for place in 0..flushed {
        client.send((READ, 0), place, place * CHUNK as u64, CHUNK, &[]).expect("the server listens");
        let data = client.reply().expect("the server answers").1.expect("reads go on");
        let kept = data.iter().take_while(|byte| u64::from(**byte) == place % 251).count();
        assert_eq!(kept, CHUNK, "of {CHUNK} bytes of place {place}, one of {flushed}");
    }
    served.assert_alive();
    served.crash();
}

/// Linux tells of a failed write-back once for each time that the file was opened. Both rings have to hear of it.
#[test]
#[ignore = "mounts tmpfs and uses loop devices as root"]
fn every_ring_hears_of_a_write_back_that_failed() {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    let thin = Thin::new(&sear.path("thin"));
    let open = || fs::OpenOptions::new().read(true).write(true).open(thin.path()).expect("the device");
    let backend = FileBackend::new(open(), SectorSize::B4096, false).expect("a block device is a backing");
    let [one, other] =
        [(); 2].map(|()| File::from(backend.descriptor().expect("a descriptor").expect("it is for a ring")));
    let segment = DataSegment { offset: 0, len: ByteLen(LEN), sector_size: SectorSize::B4096, iv_tweak: 0 };
    let key = VolumeKey::random().expect("random bytes");
    let volume = Volume::open(Box::new(backend), &key, segment, DiskOptions::default()).expect("a volume");
    let volume = Arc::new(volume);
    for place in 0..LEN / CHUNK as u64 {
        volume.write_at(&[1; CHUNK], place * CHUNK as u64, false).expect("the page cache has room");
    }
    assert!(one.sync_data().is_err() && other.sync_data().is_err());
    assert!(matches!(volume.flush(), Err(IoError::Backing(_))));
    assert!(matches!(volume.flush(), Err(IoError::Latched)));
}
