//! The volume against plain bytes, and against the order that concurrent operations must have: on every kind of backing,
//! by every way in.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod support;

use std::sync::Arc;
use std::thread;

use datapath::backend::Backend;
use datapath::backend::mem::MemBackend;
use datapath::disk::BlockingDisk;
use datapath::ring::Kind;
use datapath::volume::{DiskOptions, Volume};
use keywrap::geometry::{ByteLen, SectorSize};
use proptest::prelude::*;
use support::clients::Plan;
use support::history::{History, Verb};
use support::store::{Place, Store};
use support::{key, read, segment};

const OFFSET: u64 = 8192;
const SECTORS: u64 = 12;

fn volume(backend: Box<dyn Backend>, sectors: u64, size: SectorSize) -> Volume {
    let options = DiskOptions { discards: true, ..DiskOptions::default() };
    Volume::open(backend, &key(9, 64), segment(OFFSET, sectors, size), options).unwrap()
}

// One operation at a time, at any byte.

#[derive(Clone, Debug)]
enum Step {
    Read(usize, usize),
    Write(usize, usize, u8, bool),
    Zeroes(usize, usize, bool),
    Flush,
}

/// Ranges within `len` bytes, about half of them whole sectors.
fn range(sector: usize, len: usize) -> impl Strategy<Value = (usize, usize)> {
    let bytes = (0..len).prop_flat_map(move |start| (Just(start), 0..=(len - start).min(5 * sector)));
    let sectors = (0..len / sector)
        .prop_flat_map(move |start| (Just(start), 1..=(len / sector - start).min(5)))
        .prop_map(move |(start, count)| (start * sector, count * sector));
    prop_oneof![bytes, sectors]
}

fn step(sector: usize, len: usize) -> impl Strategy<Value = Step> {
    let range = move || range(sector, len);
    prop_oneof![
        3 => range().prop_map(|(at, len)| Step::Read(at, len)),
        4 => (range(), any::<u8>(), any::<bool>()).prop_map(|((at, len), byte, fua)| Step::Write(at, len, byte, fua)),
        1 => (range(), any::<bool>()).prop_map(|((at, len), fua)| Step::Zeroes(at, len, fua)),
        1 => Just(Step::Flush),
    ]
}

fn steps() -> impl Strategy<Value = (SectorSize, Vec<Step>)> {
    prop::sample::select(SectorSize::ALL.as_slice()).prop_flat_map(|size| {
        let sector = 1 << size.shift();
        (Just(size), prop::collection::vec(step(sector, sector * 12), 1..60))
    })
}

/// Bytes that differ from their neighbours, so that a shifted copy is noticed.
fn pattern(len: usize, seed: u8) -> Vec<u8> {
    (0..253).cycle().map(|n: u8| seed.wrapping_add(n)).take(len).collect()
}

fn check(disk: &dyn BlockingDisk, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut model = vec![0; usize::try_from(disk.geometry().len.0).unwrap()];
    disk.write_zeroes(0, disk.geometry().len.0, false).unwrap();
    for step in steps {
        match *step {
            Step::Read(at, len) => prop_assert!(read(disk, at as u64, len).unwrap() == model[at..at + len]),
            Step::Write(at, len, seed, fua) => {
                model[at..at + len].copy_from_slice(&pattern(len, seed));
                disk.write_at(&pattern(len, seed), at as u64, fua).unwrap();
            }
            Step::Zeroes(at, len, fua) => {
                model[at..at + len].fill(0);
                disk.write_zeroes(at as u64, len as u64, fua).unwrap();
            }
            Step::Flush => disk.flush().unwrap(),
        }
    }
    prop_assert!(read(disk, 0, model.len()).unwrap() == model);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn operations_at_any_byte_do_what_they_would_do_to_plain_bytes((size, steps) in steps()) {
        for place in Place::ALL {
            let (_store, backend) = Store::new(place, OFFSET + segment(OFFSET, SECTORS, size).len.0, size);
            check(&volume(backend, SECTORS, size), &steps)?;
        }
    }
}

// Many at a time.

/// Sectors at first, and after the disk has grown.
const SMALL: u64 = 40;
const GROWN: u64 = 56;

/// Runs the clients that `run` starts on every place and sector size, lets the disk grow meanwhile, and checks what they
/// saw.
fn on_every_place(seed: u64, run: impl Fn(&Plan)) {
    for (number, place) in (0..).zip(Place::ALL) {
        for size in SectorSize::ALL {
            let len = |sectors| usize::try_from(segment(OFFSET, sectors, size).len.0).unwrap();
            let (store, backend) = Store::new(place, OFFSET + len(SMALL) as u64, size);
            let volume = Arc::new(volume(backend, SMALL, size));
            let never_written = never_written(size);
            let history = Arc::new(History::new(1 << size.shift(), &never_written[..len(SMALL)]));
            let plan = Plan { volume, history, seed: seed + number, steps: 400 };
            plan.prepare().unwrap();
            thread::scope(|scope| {
                scope.spawn(|| {
                    while plan.history.clock() < 1000 {
                        thread::yield_now();
                    }
                    store.set_len(OFFSET + len(GROWN) as u64);
                    plan.volume.resize(ByteLen(len(GROWN) as u64)).unwrap();
                    plan.history.grow(&never_written[len(SMALL)..]);
                });
                run(&plan);
            });
            let last = plan.history.begin_at(Verb::Read, 0..len(GROWN), false);
            plan.history.end(&last, &read(plan.volume.as_ref(), 0, len(GROWN)).unwrap());
            plan.history.check();
        }
    }
}

/// What sectors of zeroes on the backing read as.
fn never_written(size: SectorSize) -> Vec<u8> {
    let len = segment(OFFSET, GROWN, size).len.0;
    read(&volume(Box::new(MemBackend::new(OFFSET + len)), GROWN, size), 0, usize::try_from(len).unwrap()).unwrap()
}

#[test]
fn threads_that_block_agree_on_an_order() {
    on_every_place(1, |plan| assert_eq!(plan.threads(4), 0));
}

#[test]
fn ports_on_io_uring_agree_on_an_order() {
    on_every_place(10, |plan| plan.ports(Kind::Uring, 8));
}

#[test]
fn ports_on_the_polling_twin_agree_on_an_order() {
    on_every_place(20, |plan| plan.ports(Kind::Poll, 8));
}

#[test]
fn threads_and_ports_together_agree_on_an_order() {
    on_every_place(30, |plan| {
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(plan.threads(2), 0));
            plan.ports(Kind::Uring, 4);
        });
    });
}

#[test]
fn writers_of_different_parts_of_one_sector_do_not_lose_each_others_bytes() {
    const LANE: usize = 64;
    let disk = volume(Box::new(MemBackend::new(OFFSET + SECTORS * 512)), SECTORS, SectorSize::B512);
    thread::scope(|scope| {
        for lane in 0..512 / LANE {
            let disk = &disk;
            scope.spawn(move || {
                for round in 0..200u8 {
                    let sector = u64::from(round) % 4;
                    disk.write_at(&[round; LANE], sector * 512 + (lane * LANE) as u64, false).unwrap();
                }
            });
        }
    });
    for sector in 0..4u8 {
        assert_eq!(read(&disk, u64::from(sector) * 512, 512).unwrap(), [196 + sector; 512]);
    }
}

// The judge itself.

/// A history of three sectors, written by one operation each; the closure plays on.
fn judged(play: impl FnOnce(&History)) -> bool {
    let history = History::new(512, &[0xee; 3 * 512]);
    let write = history.begin_at(Verb::Write, 0..3 * 512, false);
    history.end(&write, &[]);
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        play(&history);
        history.check();
    }))
    .is_ok()
}

fn filled(history: &History, step: &support::history::Step) -> Vec<u8> {
    let mut bytes = vec![0; step.len];
    history.fill(step, &mut bytes);
    bytes
}

#[test]
fn the_history_accepts_either_of_two_concurrent_writers_and_nothing_stale_torn_or_going_back() {
    let sector = 0..512;
    let two_writers = |reads: [usize; 2], cut: usize| {
        judged(|history| {
            let writes = [(); 2].map(|()| history.begin_at(Verb::Write, sector.clone(), false));
            let data = writes.each_ref().map(|write| filled(history, write));
            for which in reads {
                let read = history.begin_at(Verb::Read, sector.clone(), false);
                history.end(&read, &[&data[which][..cut], &data[1][cut..]].concat());
            }
            writes.iter().for_each(|write| history.end(write, &[]));
        })
    };
    assert!(two_writers([0, 0], 512) && two_writers([0, 1], 512) && two_writers([1, 0], 512));
    assert!(!two_writers([0, 1], 256), "torn");
    let stale = judged(|history| {
        let old = history.begin_at(Verb::Write, sector.clone(), false);
        history.end(&old, &[]);
        let new = history.begin_at(Verb::Write, sector.clone(), false);
        history.end(&new, &[]);
        let read = history.begin_at(Verb::Read, sector.clone(), false);
        history.end(&read, &filled(history, &old));
    });
    assert!(!stale);
    let going_back = judged(|history| {
        let old = history.begin_at(Verb::Write, sector.clone(), false);
        history.end(&old, &[]);
        let new = history.begin_at(Verb::Write, sector.clone(), false);
        for seen in [&new, &old] {
            let read = history.begin_at(Verb::Read, sector.clone(), false);
            history.end(&read, &filled(history, seen));
        }
        history.end(&new, &[]);
    });
    assert!(!going_back);
}
