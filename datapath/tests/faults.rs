//! What the disk says and does when its backing fails, shrinks or is slow, and what a flush really waits for.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod support;

use std::sync::{Arc, Mutex};

use datapath::buf::Buf;
use datapath::disk::{Command, Disk, Io, IoError};
use datapath::old::backend::file::FileBackend;
use datapath::old::backend::mem::MemBackend;
use datapath::old::backend::{Op, OpKind};
use datapath::old::volume::{DiskOptions, EncryptedDisk, OpenError};
use keywrap::geometry::{ByteLen, DataSegment, SectorSize};
use support::script::{Event, Script};
use support::{key, read, run, segment, start, write};

const SECTOR: u64 = 4096;
const MIB: u64 = 1 << 20;
const LEN: u64 = 8 * MIB;

fn scripted(fails: impl Fn(usize, &Op) -> bool + Send + Sync + 'static) -> (EncryptedDisk, Arc<Mutex<Vec<Event>>>) {
    let backend = Script::new(MemBackend::new(LEN).unwrap(), fails);
    let log = backend.log();
    let segment = segment(0, LEN / SECTOR, SectorSize::B4096);
    let options = DiskOptions { discards: true, ..DiskOptions::default() };
    (EncryptedDisk::open(Box::new(backend), &key(3, 64), segment, options).unwrap(), log)
}

fn is_write(op: &Op) -> bool {
    matches!(op.kind, OpKind::Write { .. })
}

fn assert_latched(disk: &dyn Disk) {
    assert!(matches!(write(disk, 0, &[1; 4096], false), Err(IoError::Latched)));
    for command in [Command::Flush, Command::WriteZeroes { fua: false }, Command::Trim { fua: false }] {
        let len = if command == Command::Flush { 0 } else { SECTOR };
        assert!(matches!(run(disk, command, 0, len), Err(IoError::Latched)), "{command:?}");
    }
    assert!(read(disk, 0, 4096).is_ok());
}

#[test]
fn a_failed_write_is_reported_and_latches() {
    for n in 0..3 {
        let (disk, _) = scripted(move |count, op| is_write(op) && count == n);
        for _ in 0..n {
            write(&disk, 0, &[1; 4096], false).unwrap();
        }
        assert!(matches!(write(&disk, 0, &[1; 4096], false), Err(IoError::Backing(_))));
        assert_latched(&disk);
    }
}

#[test]
fn a_failed_flush_is_reported_and_latches() {
    let (disk, _) = scripted(|count, op| op.kind == OpKind::Flush && count == 1);
    write(&disk, 0, &[1; 4096], false).unwrap();
    assert!(matches!(run(&disk, Command::Flush, 0, 0), Err(IoError::Backing(_))));
    assert_latched(&disk);
}

#[test]
fn a_failed_read_or_discard_is_reported_and_does_not_latch() {
    let (disk, _) = scripted(|count, _| count < 2);
    assert!(matches!(read(&disk, 0, 4096), Err(IoError::Backing(_))));
    assert!(matches!(run(&disk, Command::Trim { fua: false }, 0, SECTOR), Err(IoError::Backing(_))));
    write(&disk, 0, &[1; 4096], true).unwrap();
}

#[test]
fn an_unaligned_write_whose_read_fails_writes_nothing() {
    let (disk, log) = scripted(|count, op| op.kind == OpKind::Read && count == 2);
    write(&disk, 0, &[7; 8192], false).unwrap();
    assert!(matches!(write(&disk, 100, &[1; 8000], false), Err(IoError::Backing(_))));
    let writes =
        log.lock().unwrap().iter().filter(|event| matches!(event, Event::Started(OpKind::Write { .. }, ..))).count();
    assert_eq!(writes, 1);
    assert_eq!(read(&disk, 0, 8192).unwrap(), [7; 8192]);
}

#[test]
fn zeroing_stops_at_the_first_failed_chunk() {
    let (disk, log) = scripted(|count, _| count == 2);
    let result = run(&disk, Command::WriteZeroes { fua: true }, 0, LEN);
    assert!(matches!(result, Err(IoError::Backing(_))));
    let write = OpKind::Write { sync: false };
    let chunks = [(0, MIB), (MIB, MIB)];
    let expected = chunks.map(|(at, len)| [Event::Started(write, at, len), Event::Ended(write, at, len)]).concat();
    assert_eq!(*log.lock().unwrap(), expected);
}

#[test]
fn a_flush_starts_after_the_write_it_covers_has_ended_and_ends_before_its_completion() {
    let (disk, log) = scripted(|_, _| false);
    write(&disk, SECTOR, &[1; 4096], false).unwrap();
    run(&disk, Command::Flush, 0, 0).unwrap();
    let write = OpKind::Write { sync: false };
    let expected = [
        Event::Started(write, SECTOR, SECTOR),
        Event::Ended(write, SECTOR, SECTOR),
        Event::Started(OpKind::Flush, 0, 0),
        Event::Ended(OpKind::Flush, 0, 0),
    ];
    assert_eq!(*log.lock().unwrap(), expected);
}

#[test]
fn fua_is_a_synced_write_even_when_the_write_is_unaligned() {
    for (offset, len) in [(0, 4096), (5, 100)] {
        let (disk, log) = scripted(|_, _| false);
        write(&disk, offset, &vec![1; len], true).unwrap();
        let last = *log.lock().unwrap().last().unwrap();
        assert_eq!(last, Event::Ended(OpKind::Write { sync: true }, 0, SECTOR));
    }
}

#[test]
fn fua_zeroes_and_trims_end_with_a_flush_after_everything_else() {
    for command in [Command::WriteZeroes { fua: true }, Command::Trim { fua: true }] {
        let (disk, log) = scripted(|_, _| false);
        run(&disk, command, 0, 3 * MIB).unwrap();
        let log = log.lock().unwrap();
        let flush = log.iter().position(|event| *event == Event::Started(OpKind::Flush, 0, 0)).unwrap();
        assert_eq!(log[flush + 1..], [Event::Ended(OpKind::Flush, 0, 0)]);
        assert!(log[..flush].iter().any(|event| matches!(event, Event::Ended(..))));
    }
}

#[test]
fn a_backing_file_that_shrinks_gives_an_error_and_is_not_grown_again() {
    let file = tempfile::tempfile().unwrap();
    file.set_len(LEN).unwrap();
    let backend = FileBackend::new(file.try_clone().unwrap()).unwrap();
    let segment = segment(0, LEN / SECTOR, SectorSize::B4096);
    let options = DiskOptions { discards: true, ..DiskOptions::default() };
    let disk = EncryptedDisk::open(Box::new(backend), &key(3, 64), segment, options).unwrap();
    write(&disk, 0, &[1; 4096], false).unwrap();
    file.set_len(MIB + 100).unwrap();
    let message = read(&disk, MIB, 4096).unwrap_err().to_string();
    assert!(message.contains("shrunk from 8388608 bytes to 1048676 bytes"), "{message}");
    assert_eq!(read(&disk, 0, 4096).unwrap(), [1; 4096]);
    for fua in [false, true] {
        assert!(write(&disk, 2 * MIB, &[1; 4096], fua).is_err());
    }
    assert_eq!(file.metadata().unwrap().len(), MIB + 100);
    assert_latched(&disk);
}

#[test]
fn dropping_the_disk_waits_for_what_is_in_flight() {
    let (disk, log) = scripted(|_, _| false);
    let outcomes: Vec<_> = (0..64)
        .map(|n| start(&disk, Command::Write { fua: false }, n % 8 * SECTOR, SECTOR, Buf::zeroed(4096)))
        .collect();
    drop(disk);
    let ended = log.lock().unwrap().iter().filter(|event| matches!(event, Event::Ended(..))).count();
    assert_eq!(ended, 64);
    assert!(outcomes.into_iter().all(|outcome| outcome.recv().unwrap().result.is_ok()));
}

#[test]
fn a_long_line_of_refused_operations_does_not_deepen_the_stack() {
    let memory = MemBackend::new(LEN).unwrap();
    let bytes = memory.bytes();
    let backend = Script::new(memory, |count, _| count == 1);
    let segment = segment(0, LEN / SECTOR, SectorSize::B4096);
    let disk = EncryptedDisk::open(Box::new(backend), &key(3, 64), segment, DiskOptions::default()).unwrap();
    // The first write cannot end while its memory is locked; the others wait for it, for they overlap.
    let locked = bytes.read().unwrap();
    let outcomes: Vec<_> =
        (0..4000).map(|_| start(&disk, Command::Write { fua: false }, 0, SECTOR, Buf::zeroed(4096))).collect();
    drop(locked);
    let results: Vec<_> = outcomes.into_iter().map(|outcome| outcome.recv().unwrap().result).collect();
    assert!(results[0].is_ok());
    assert!(matches!(results[1], Err(IoError::Backing(_))));
    assert!(results[2..].iter().all(|result| matches!(result, Err(IoError::Latched))));
}

#[test]
fn a_refused_operation_gives_its_buffer_back() {
    let (disk, _) = scripted(|_, _| false);
    let outcome = start(&disk, Command::Write { fua: false }, LEN, 512, Buf::zeroed(512)).recv().unwrap();
    assert!(matches!(outcome.result, Err(IoError::OutOfRange)));
    assert_eq!(outcome.buf.len(), 512);
}

#[test]
fn a_strict_disk_refuses_partial_sectors_and_a_read_only_one_refuses_changes() {
    let open = |options| {
        let segment = segment(0, LEN / SECTOR, SectorSize::B4096);
        EncryptedDisk::open(Box::new(MemBackend::new(LEN).unwrap()), &key(3, 64), segment, options).unwrap()
    };
    let strict = open(DiskOptions { strict_alignment: true, ..DiskOptions::default() });
    assert!(matches!(read(&strict, 1, 4096), Err(IoError::Unaligned)));
    assert!(matches!(write(&strict, 0, &[0; 512], false), Err(IoError::Unaligned)));
    let read_only = open(DiskOptions { read_only: true, discards: true, ..DiskOptions::default() });
    assert!(!read_only.geometry().discards);
    assert!(matches!(write(&read_only, 0, &[0; 4096], false), Err(IoError::ReadOnly)));
    assert!(run(&read_only, Command::Flush, 0, 0).is_ok());
}

#[test]
fn a_segment_that_does_not_fit_its_backing_is_refused() {
    let open = |segment: DataSegment| {
        let backend = Box::new(MemBackend::new(LEN).unwrap());
        EncryptedDisk::open(backend, &key(3, 64), segment, DiskOptions::default()).err().unwrap()
    };
    let whole = segment(0, LEN / SECTOR, SectorSize::B4096);
    let beyond = open(DataSegment { offset: SECTOR, ..whole });
    assert!(matches!(beyond, OpenError::BackingTooShort { end, len: LEN } if end == LEN + SECTOR));
    assert!(matches!(open(DataSegment { len: ByteLen(LEN - 512), ..whole }), OpenError::Segment { .. }));
    assert!(matches!(open(DataSegment { offset: u64::MAX, ..whole }), OpenError::Segment { .. }));
}

#[test]
fn a_disk_whose_callback_submits_again_goes_on() {
    let (disk, _) = scripted(|_, _| false);
    let disk = Arc::new(disk);
    let (done, ended) = std::sync::mpsc::channel();
    let again = Arc::clone(&disk);
    let read = |buf| Io { command: Command::Read, offset: 0, len: SECTOR, buf };
    disk.submit(
        read(Buf::zeroed(4096)),
        Box::new(move |outcome| {
            again.submit(read(outcome.buf), Box::new(move |outcome| done.send(outcome.result).unwrap()))
        }),
    );
    assert!(ended.recv().unwrap().is_ok());
}
