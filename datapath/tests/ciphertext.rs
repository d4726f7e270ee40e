//! What lies on the backing is what the specification says, sector by sector.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use datapath::backend::file::FileBackend;
use datapath::cipher::xts::Reference;
use datapath::disk::{BlockingDisk, Command};
use datapath::ring::Kind;
use datapath::volume::{DiskOptions, Volume};
use keywrap::geometry::{DataSegment, Lba, SectorSize};
use support::line::Line;
use support::{key, read, segment};

const SECTORS: u64 = 24;
const OFFSET: u64 = 8192;

struct Rig {
    file: File,
    segment: DataSegment,
    key_len: usize,
    disk: Arc<Volume>,
}

fn rig(sector_size: SectorSize, key_len: usize, iv_tweak: u64) -> Rig {
    let segment = DataSegment { iv_tweak, ..segment(OFFSET, SECTORS, sector_size) };
    let file = tempfile::tempfile().unwrap();
    file.set_len(OFFSET + segment.len.0).unwrap();
    let backend = FileBackend::new(file.try_clone().unwrap(), sector_size, true).unwrap();
    let options = DiskOptions { discards: true, ..DiskOptions::default() };
    let disk = Arc::new(Volume::open(Box::new(backend), &key(1, key_len), segment, options).unwrap());
    Rig { file, segment, key_len, disk }
}

impl Rig {
    /// The whole volume as the reference decrypts it from the file.
    fn decrypted(&self) -> Vec<u8> {
        let reference = Reference::new(&key(1, self.key_len));
        let mut bytes = vec![0; usize::try_from(self.segment.len.0).unwrap()];
        self.file.read_exact_at(&mut bytes, OFFSET).unwrap();
        let sector = 1 << self.segment.sector_size.shift();
        for (lba, sector) in (0..).zip(bytes.chunks_exact_mut(sector)) {
            reference.decrypt_unit(sector, u128::from(self.segment.tweak(Lba(lba))));
        }
        bytes
    }
}

fn every_rig(test: impl Fn(&Rig)) {
    for sector_size in SectorSize::ALL {
        for key_len in [32, 64] {
            for iv_tweak in [0, 40_000, u64::MAX - 2] {
                test(&rig(sector_size, key_len, iv_tweak));
            }
        }
    }
}

#[test]
fn the_file_holds_what_the_reference_decrypts_to_the_plaintext() {
    every_rig(|rig| {
        let plain: Vec<u8> = (0..rig.segment.len.0).map(|n| (n % 251) as u8).collect();
        rig.disk.write_at(&plain, 0, false).unwrap();
        assert!(rig.decrypted() == plain);
        assert!(read(rig.disk.as_ref(), 0, plain.len()).unwrap() == plain);
    });
}

#[test]
fn unaligned_writes_and_reads_keep_what_is_around_them() {
    every_rig(|rig| {
        let mut plain: Vec<u8> = (0..rig.segment.len.0).map(|n| (n % 251) as u8).collect();
        rig.disk.write_at(&plain, 0, false).unwrap();
        let sector = 1 << rig.segment.sector_size.shift();
        for (offset, len) in [(1, 1), (sector - 1, 2), (sector, sector - 1), (3, 5 * sector), (plain.len() - 3, 3)] {
            rig.disk.write_at(&vec![0xee; len], offset as u64, false).unwrap();
            plain[offset..offset + len].fill(0xee);
            assert!(rig.decrypted() == plain);
            assert!(read(rig.disk.as_ref(), offset as u64 - 1, len + 1).unwrap() == plain[offset - 1..offset + len]);
        }
    });
}

#[test]
fn zeroes_are_written_encrypted_and_never_as_a_hole() {
    every_rig(|rig| {
        let (start, len) = (100, rig.segment.len.0 - 200);
        rig.disk.write_at(&vec![7; usize::try_from(rig.segment.len.0).unwrap()], 0, false).unwrap();
        rig.disk.write_zeroes(start, len, true).unwrap();
        let plain = rig.decrypted();
        for (n, byte) in (0..).zip(plain) {
            assert_eq!(byte, if (start..start + len).contains(&n) { 0 } else { 7 });
        }
    });
}

#[test]
fn a_trim_takes_whole_sectors_only_and_they_read_as_decrypted_zeroes() {
    let rig = rig(SectorSize::B4096, 64, 0);
    let len = usize::try_from(rig.segment.len.0).unwrap();
    rig.disk.write_at(&vec![7; len], 0, false).unwrap();
    rig.disk.trim(4095, 8194, true).unwrap();
    let mut raw = vec![1; len];
    rig.file.read_exact_at(&mut raw, OFFSET).unwrap();
    assert!(raw[4096..12288].iter().all(|byte| *byte == 0));
    let plain = rig.decrypted();
    assert!(plain[..4096].iter().chain(&plain[12288..]).all(|byte| *byte == 7));
    assert!(read(rig.disk.as_ref(), 0, len).unwrap() == plain);
}

#[test]
fn a_trim_without_discards_succeeds_and_changes_nothing() {
    let rig = rig(SectorSize::B512, 64, 0);
    let backend = FileBackend::new(rig.file.try_clone().unwrap(), SectorSize::B512, true).unwrap();
    let disk = Volume::open(Box::new(backend), &key(1, 64), rig.segment, DiskOptions::default()).unwrap();
    disk.write_at(&[7; 4096], 0, false).unwrap();
    disk.trim(0, 4096, false).unwrap();
    assert_eq!(read(&disk, 0, 4096).unwrap(), [7; 4096]);
}

#[test]
fn a_queue_stores_what_blocking_calls_store() {
    every_rig(|rig| {
        let sector = u64::from(rig.segment.sector_size.bytes());
        let (at, len) = (3 * sector, 7 * sector);
        let all = usize::try_from(rig.segment.len.0).unwrap();
        for kind in [Kind::Uring, Kind::Poll] {
            rig.disk.write_at(&vec![7; all], 0, false).unwrap();
            // Its payload is ones.
            Line::new(&rig.disk, kind).run(Command::Write { fua: true }, at, len).unwrap();
            for (n, byte) in (0..).zip(rig.decrypted()) {
                assert_eq!(byte, if (at..at + len).contains(&n) { 1 } else { 7 });
            }
        }
    });
}
