//! Real files that fail under the volume, by the calls and by both kinds of ring.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod support;

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::sync::Arc;

use datapath::backend::Backend;
use datapath::backend::file::FileBackend;
use datapath::disk::{BlockingDisk, Command, IoError};
use datapath::ring::Kind;
use datapath::volume::{DiskOptions, Volume};
use keywrap::geometry::{ByteLen, SectorSize};
use support::line::Line;
use support::store::{Place, Store, disk_folder};
use support::{key, read, segment};

const SECTOR: u64 = 4096;
const MIB: u64 = 1 << 20;
const LEN: u64 = 8 * MIB;
const KINDS: [Kind; 2] = [Kind::Uring, Kind::Poll];
const WRITE: Command = Command::Write { fua: false };
const FUA: Command = Command::Write { fua: true };

fn open(backend: Box<dyn Backend>) -> Arc<Volume> {
    let options = DiskOptions { discards: true, ..DiskOptions::default() };
    Arc::new(Volume::open(backend, &key(3, 64), segment(0, LEN / SECTOR, SectorSize::B4096), options).unwrap())
}

fn says_shrunk(result: &Result<(), IoError>) -> bool {
    matches!(result, Err(IoError::Backing(error)) if error.to_string().contains("shrunk"))
}

#[test]
fn a_file_that_shrinks_gives_errors_and_is_not_grown_again_by_calls() {
    for place in Place::ALL {
        let (store, backend) = Store::new(place, LEN, SectorSize::B4096);
        let volume = open(backend);
        volume.write_at(&[1; 4096], 0, false).unwrap();
        store.set_len(MIB + 100);
        assert!(read(volume.as_ref(), MIB, 4096).is_err());
        assert_eq!(read(volume.as_ref(), 0, 4096).unwrap(), [1; 4096]);
        assert!(says_shrunk(&volume.write_at(&[1; 4096], 2 * MIB, false)));
        assert_eq!(store.len(), MIB + 100);
        assert!(matches!(volume.flush(), Err(IoError::Latched)));
    }
}

#[test]
fn a_file_that_shrinks_gives_errors_and_is_not_grown_again_by_a_worker() {
    for place in [Place::Tmpfs, Place::Direct, Place::Buffered] {
        for kind in KINDS {
            for command in [WRITE, FUA] {
                let (store, backend) = Store::new(place, LEN, SectorSize::B4096);
                let volume = open(backend);
                let mut line = Line::new(&volume, kind);
                line.run(WRITE, 0, SECTOR).unwrap();
                store.set_len(MIB + 100);
                assert!(line.run(Command::Read, MIB, SECTOR).is_err());
                line.run(Command::Read, 0, SECTOR).unwrap();
                assert!(says_shrunk(&line.run(command, 2 * MIB, SECTOR)), "{place:?} {kind:?}");
                assert_eq!(store.len(), MIB + 100);
                assert!(matches!(line.run(Command::Flush, 0, 0), Err(IoError::Latched)));
            }
        }
    }
}

/// The flush, not a write, is what may find it: then nothing it covers is called durable.
#[test]
fn a_flush_does_not_succeed_on_a_file_that_has_shrunk() {
    for kind in KINDS {
        let (store, backend) = Store::new(Place::Direct, LEN, SectorSize::B4096);
        let volume = open(backend);
        let mut line = Line::new(&volume, kind);
        line.run(WRITE, 7 * MIB, SECTOR).unwrap();
        store.set_len(MIB);
        assert!(says_shrunk(&line.run(Command::Flush, 0, 0)));
        assert!(volume.is_latched());
    }
}

#[test]
fn a_file_that_grew_with_the_volume_and_then_shrinks_to_what_it_was_is_noticed() {
    let (store, backend) = Store::new(Place::Direct, LEN, SectorSize::B4096);
    let volume = open(backend);
    store.set_len(2 * LEN);
    volume.resize(ByteLen(2 * LEN)).unwrap();
    volume.write_at(&[1; 4096], LEN, false).unwrap();
    store.set_len(LEN);
    assert!(says_shrunk(&Line::new(&volume, Kind::Uring).run(WRITE, LEN, SECTOR)));
    let other = open(Store::new(Place::Tmpfs, LEN, SectorSize::B4096).1);
    assert!(other.write_at(&[1; 4096], 0, false).is_ok());
    assert_eq!(store.len(), LEN);
}

#[test]
fn a_file_that_takes_no_writes_gives_errors_and_latches() {
    for place in [disk_folder(), "/dev/shm".into()] {
        for kind in KINDS {
            let file = tempfile::NamedTempFile::new_in(&place).unwrap();
            file.as_file().set_len(LEN).unwrap();
            let backend = FileBackend::new(File::open(file.path()).unwrap(), SectorSize::B4096, true).unwrap();
            let volume = open(Box::new(backend));
            let mut line = Line::new(&volume, kind);
            line.run(Command::Read, 0, SECTOR).unwrap();
            assert!(matches!(line.run(WRITE, 0, SECTOR), Err(IoError::Backing(_))));
            assert!(matches!(line.run(WRITE, 0, SECTOR), Err(IoError::Latched)));
            assert!(matches!(volume.flush(), Err(IoError::Latched)));
            line.run(Command::Read, 0, SECTOR).unwrap();
        }
    }
}

/// Linux tells of a failed write-back once for each time that the file was opened. Rings that shared one would take the
/// news from each other.
#[test]
fn each_ring_has_opened_the_file_for_itself() {
    for direct in [true, false] {
        let file = tempfile::tempfile_in(disk_folder()).unwrap();
        file.set_len(LEN).unwrap();
        let backend = FileBackend::new(file, SectorSize::B4096, direct).unwrap();
        let [mut one, mut other] = [(); 2].map(|()| File::from(backend.descriptor().unwrap().unwrap()));
        one.seek(SeekFrom::Start(4096)).unwrap();
        assert_eq!(other.stream_position().unwrap(), 0);
    }
}
