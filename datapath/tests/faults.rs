//! What the volume says and does when its backing fails, through blocking calls and through a queue, and what a flush
//! really waits for.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod support;

use std::io;
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::thread;

use datapath::backend::Backend;
use datapath::backend::mem::MemBackend;
use datapath::disk::{BlockingDisk, Command, IoError};
use datapath::ring::Kind;
use datapath::volume::{DiskOptions, OpenError, Volume};
use keywrap::geometry::{ByteLen, DataSegment, SectorSize};
use support::line::Line;
use support::script::{Call, Event, Script};
use support::{key, read, run, segment};

const SECTOR: u64 = 4096;
const CHUNK: u64 = 256 << 10;
const LEN: u64 = 8 << 20;
const WRITE: Call = Call::Write { sync: false };

fn open(backend: Box<dyn Backend>, options: DiskOptions) -> Volume {
    Volume::open(backend, &key(3, 64), segment(0, LEN / SECTOR, SectorSize::B4096), options).unwrap()
}

fn scripted(fails: impl Fn(usize, Call) -> bool + Send + Sync + 'static) -> (Arc<Volume>, Arc<Mutex<Vec<Event>>>) {
    let backend = Script::new(MemBackend::new(LEN), fails);
    let log = backend.log();
    (Arc::new(open(Box::new(backend), DiskOptions { discards: true, ..DiskOptions::default() })), log)
}

fn is_write(call: Call) -> bool {
    matches!(call, Call::Write { .. })
}

/// Through blocking calls and through a queue.
fn assert_latched(volume: &Arc<Volume>) {
    let changes = [
        Command::Write { fua: false },
        Command::Flush,
        Command::WriteZeroes { fua: false },
        Command::Trim { fua: false },
    ];
    let mut line = Line::new(volume, Kind::Poll);
    for command in changes {
        let len = if command == Command::Flush { 0 } else { SECTOR };
        assert!(matches!(run(volume.as_ref(), command, 0, len), Err(IoError::Latched)), "{command:?}");
        assert!(matches!(line.run(command, 0, len), Err(IoError::Latched)), "{command:?}");
    }
    assert!(read(volume.as_ref(), 0, 4096).is_ok() && line.run(Command::Read, 0, SECTOR).is_ok());
}

#[test]
fn a_failed_write_is_reported_and_latches() {
    for n in 0..3 {
        let (volume, _) = scripted(move |count, call| is_write(call) && count == n);
        for _ in 0..n {
            volume.write_at(&[1; 4096], 0, false).unwrap();
        }
        assert!(matches!(volume.write_at(&[1; 4096], 0, false), Err(IoError::Backing(_))));
        assert_latched(&volume);
        let (volume, _) = scripted(move |count, call| is_write(call) && count == n);
        let mut line = Line::new(&volume, Kind::Poll);
        for _ in 0..n {
            line.run(Command::Write { fua: false }, 0, SECTOR).unwrap();
        }
        assert!(matches!(line.run(Command::Write { fua: true }, 0, SECTOR), Err(IoError::Backing(_))));
        assert_latched(&volume);
    }
}

#[test]
fn a_failed_flush_is_reported_and_latches() {
    let broken = || scripted(|count, call| call == Call::Flush && count == 1).0;
    let volume = broken();
    volume.write_at(&[1; 4096], 0, false).unwrap();
    assert!(matches!(volume.flush(), Err(IoError::Backing(_))));
    assert_latched(&volume);
    let volume = broken();
    let mut line = Line::new(&volume, Kind::Poll);
    line.run(Command::Write { fua: false }, 0, SECTOR).unwrap();
    assert!(matches!(line.run(Command::Flush, 0, 0), Err(IoError::Backing(_))));
    assert_latched(&volume);
}

#[test]
fn a_failed_read_or_discard_is_reported_and_does_not_latch() {
    let (volume, _) = scripted(|count, _| count < 3);
    assert!(matches!(read(volume.as_ref(), 0, 4096), Err(IoError::Backing(_))));
    assert!(matches!(Line::new(&volume, Kind::Poll).run(Command::Read, 0, SECTOR), Err(IoError::Backing(_))));
    assert!(matches!(volume.trim(0, SECTOR, false), Err(IoError::Backing(_))));
    volume.write_at(&[1; 4096], 0, true).unwrap();
}

/// Whatever fails, once: it is told to whoever asked for it, and what was acknowledged before is there.
#[test]
fn a_failure_at_every_call_loses_nothing_that_was_acknowledged() {
    for n in 0.. {
        let (volume, log) = scripted(move |count, _| count == n);
        let mut acknowledged = Vec::new();
        for sector in 0..12_u8 {
            let (bytes, at) = ([sector + 1; 4100], u64::from(sector) * 2 * SECTOR);
            if volume.write_at(&bytes, at, sector % 3 == 0).and_then(|()| volume.flush()).is_ok() {
                acknowledged.push(sector);
            }
        }
        if log.lock().unwrap().len() <= n {
            assert_eq!(acknowledged.len(), 12);
            return;
        }
        for sector in &acknowledged {
            let found = read(volume.as_ref(), u64::from(*sector) * 2 * SECTOR, 4100).unwrap();
            assert!(found == [sector + 1; 4100], "sector {sector} after a failure of call {n}");
        }
        assert!(acknowledged.len() < 12, "the failure of call {n} was told to nobody");
    }
}

#[test]
fn an_unaligned_write_whose_read_fails_writes_nothing() {
    let (volume, log) = scripted(|count, call| call == Call::Read && count == 2);
    volume.write_at(&[7; 8192], 0, false).unwrap();
    assert!(matches!(volume.write_at(&[1; 8000], 100, false), Err(IoError::Backing(_))));
    assert_eq!(log.lock().unwrap().iter().filter(|event| is_write(event.0)).count(), 1);
    assert_eq!(read(volume.as_ref(), 0, 8192).unwrap(), [7; 8192]);
}

#[test]
fn zeroing_stops_at_the_first_failed_piece() {
    let (volume, log) = scripted(|count, _| count == 2);
    assert!(matches!(volume.write_zeroes(0, LEN, true), Err(IoError::Backing(_))));
    assert_eq!(*log.lock().unwrap(), [(WRITE, 0, CHUNK), (WRITE, CHUNK, CHUNK), (WRITE, 2 * CHUNK, CHUNK)]);
}

#[test]
fn fua_is_a_synced_write_even_when_the_write_is_unaligned() {
    for (offset, len) in [(0, 4096), (5, 100)] {
        let (volume, log) = scripted(|_, _| false);
        volume.write_at(&vec![1; len], offset, true).unwrap();
        assert_eq!(*log.lock().unwrap().last().unwrap(), (Call::Write { sync: true }, 0, SECTOR));
    }
}

#[test]
fn fua_zeroes_and_trims_end_with_a_flush_after_everything_else() {
    for command in [Command::WriteZeroes { fua: true }, Command::Trim { fua: true }] {
        let (volume, log) = scripted(|_, _| false);
        run(volume.as_ref(), command, 0, 3 << 20).unwrap();
        let log = log.lock().unwrap();
        let flush = log.iter().position(|event| event.0 == Call::Flush).unwrap();
        assert!(flush > 0 && flush == log.len() - 1, "{log:?}");
    }
}

/// What waited for its sectors when the write before it failed.
#[test]
fn a_write_that_waited_behind_the_one_that_failed_is_refused() {
    let memory = MemBackend::new(LEN);
    let bytes = memory.bytes();
    let volume = Arc::new(open(Box::new(Script::new(memory, |count, _| count == 1)), DiskOptions::default()));
    // The first write cannot end while its memory is locked; the others wait for it, for they overlap.
    let locked = bytes.read().unwrap();
    let results = thread::scope(|scope| {
        let write = || volume.write_at(&[1; 4096], 0, false);
        let writers: Vec<_> = (0..8).map(|_| scope.spawn(write)).collect();
        drop(locked);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
    });
    let count = |wanted: fn(&Result<(), IoError>) -> bool| results.iter().filter(|result| wanted(result)).count();
    assert_eq!(count(Result::is_ok), 1);
    assert_eq!(count(|result| matches!(result, Err(IoError::Backing(_)))), 1);
    assert_eq!(count(|result| matches!(result, Err(IoError::Latched))), 6);
}

/// The volume grows, with its backing, at the very moment at which the backing's length is looked at.
#[test]
fn a_disk_that_grows_during_a_write_is_not_taken_for_one_that_shrinks() {
    struct Growing {
        memory: MemBackend,
        volume: Arc<OnceLock<Weak<Volume>>>,
    }
    impl Backend for Growing {
        fn len(&self) -> io::Result<u64> {
            let len = self.memory.len()?;
            if let Some(volume) = self.volume.get().and_then(Weak::upgrade)
                && len == LEN
            {
                self.memory.bytes().write().unwrap().resize(usize::try_from(2 * LEN).unwrap(), 0);
                volume.resize(ByteLen(2 * LEN)).unwrap();
            }
            Ok(len)
        }
        fn read(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
            self.memory.read(buf, offset)
        }
        fn write(&self, buf: &[u8], offset: u64, sync: bool) -> io::Result<()> {
            self.memory.write(buf, offset, sync)
        }
        fn discard(&self, offset: u64, len: u64) -> io::Result<()> {
            self.memory.discard(offset, len)
        }
        fn flush(&self) -> io::Result<()> {
            self.memory.flush()
        }
    }
    let link = Arc::new(OnceLock::new());
    let backend = Growing { memory: MemBackend::new(LEN), volume: Arc::clone(&link) };
    let volume = Arc::new(open(Box::new(backend), DiskOptions::default()));
    link.set(Arc::downgrade(&volume)).unwrap();
    volume.write_at(&[1; 4096], 0, false).unwrap();
    assert_eq!(volume.geometry().len.0, 2 * LEN);
    volume.write_at(&[1; 4096], LEN, true).unwrap();
}

#[test]
fn a_strict_disk_refuses_partial_sectors_and_a_read_only_one_refuses_changes() {
    let open = |options| open(Box::new(MemBackend::new(LEN)), options);
    let strict = open(DiskOptions { strict_alignment: true, ..DiskOptions::default() });
    assert!(matches!(read(&strict, 1, 4096), Err(IoError::Unaligned)));
    assert!(matches!(strict.write_at(&[0; 512], 0, false), Err(IoError::Unaligned)));
    let read_only = open(DiskOptions { read_only: true, discards: true, ..DiskOptions::default() });
    assert!(!read_only.geometry().discards);
    assert!(matches!(read_only.write_at(&[0; 4096], 0, false), Err(IoError::ReadOnly)));
    assert!(read_only.flush().is_ok());
}

#[test]
fn a_queue_refuses_what_is_not_whole_sectors_inside_the_disk() {
    let (volume, log) = scripted(|_, _| false);
    for kind in [Kind::Uring, Kind::Poll] {
        let mut line = Line::new(&volume, kind);
        for command in [Command::Read, Command::Write { fua: false }] {
            assert!(matches!(line.run(command, 512, SECTOR), Err(IoError::Unaligned)));
            assert!(matches!(line.run(command, 0, SECTOR - 1), Err(IoError::Unaligned)));
            assert!(matches!(line.run(command, LEN, SECTOR), Err(IoError::OutOfRange)));
            assert!(matches!(line.run(command, u64::MAX - 4095, SECTOR), Err(IoError::OutOfRange)));
        }
    }
    assert!(log.lock().unwrap().is_empty() && !volume.is_latched());
}

#[test]
fn a_segment_that_does_not_fit_its_backing_is_refused() {
    let open = |segment: DataSegment| {
        let backend = Box::new(MemBackend::new(LEN));
        Volume::open(backend, &key(3, 64), segment, DiskOptions::default()).err().unwrap()
    };
    let whole = segment(0, LEN / SECTOR, SectorSize::B4096);
    let beyond = open(DataSegment { offset: SECTOR, ..whole });
    assert!(matches!(beyond, OpenError::BackingTooShort { end, len: LEN } if end == LEN + SECTOR));
    assert!(matches!(open(DataSegment { len: ByteLen(LEN - 512), ..whole }), OpenError::Segment { .. }));
    assert!(matches!(open(DataSegment { offset: u64::MAX, ..whole }), OpenError::Segment { .. }));
}
