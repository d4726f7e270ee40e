//! The power fails at every moment: what was flushed is there, and the rest is old or new, sector by sector.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod support;

use std::sync::Arc;

use datapath::backend::Backend;
use datapath::backend::mem::MemBackend;
use datapath::ring::Kind;
use datapath::volume::{DiskOptions, Volume};
use keywrap::geometry::SectorSize;
use support::clients::Plan;
use support::history::{History, Random};
use support::power::PowerCut;
use support::{key, read, segment};

const SECTORS: u64 = 24;

fn open(backend: Box<dyn Backend>, size: SectorSize) -> Volume {
    let options = DiskOptions { discards: true, ..DiskOptions::default() };
    Volume::open(backend, &key(5, 64), segment(0, SECTORS, size), options).unwrap()
}

fn len(size: SectorSize) -> usize {
    usize::try_from(segment(0, SECTORS, size).len.0).unwrap()
}

fn never_written(size: SectorSize) -> Vec<u8> {
    read(&open(Box::new(MemBackend::new(len(size) as u64)), size), 0, len(size)).unwrap()
}

/// Runs clients until the power fails at that call, then looks at what is left. Whether it failed at all.
fn survives(never_written: &[u8], size: SectorSize, cut_at: usize, seed: u64, run: impl Fn(&Plan)) -> bool {
    let medium = PowerCut::new(len(size), 1 << size.shift(), cut_at);
    let volume = Arc::new(open(Box::new(medium.clone()), size));
    let history = Arc::new(History::new(1 << size.shift(), never_written));
    let plan = Plan { volume, history, seed, steps: 30 };
    if plan.prepare().is_ok() {
        run(&plan);
    }
    let again = MemBackend::new(len(size) as u64);
    again.bytes().write().unwrap().copy_from_slice(&medium.after_the_cut(&mut Random::new(seed)));
    plan.history.check_survivors(&read(&open(Box::new(again), size), 0, len(size)).unwrap());
    medium.calls() > cut_at
}

#[test]
fn a_cut_at_every_call_of_one_client_loses_nothing_that_was_made_durable() {
    for size in SectorSize::ALL {
        let never_written = never_written(size);
        for seed in 0..2 {
            let survives = |cut_at: &usize| survives(&never_written, size, *cut_at, seed, |plan| _ = plan.threads(1));
            let cuts = (0..).take_while(survives).count();
            assert!(cuts > 20, "only {cuts} calls");
        }
    }
}

#[test]
fn a_cut_among_threads_and_workers_loses_nothing_that_was_made_durable() {
    for size in SectorSize::ALL {
        let never_written = never_written(size);
        for round in 0..12 {
            assert!(survives(&never_written, size, 4 + 9 * usize::try_from(round).unwrap(), 50 + round, |plan| {
                std::thread::scope(|scope| {
                    scope.spawn(|| plan.threads(2));
                    plan.ports(Kind::Poll, 4);
                });
            }));
        }
    }
}

/// The judge itself: a medium that says it has flushed and has not is found out.
#[test]
#[should_panic(expected = "was made durable")]
fn a_medium_that_does_not_flush_is_noticed() {
    struct Liar(PowerCut);
    impl Backend for Liar {
        fn len(&self) -> std::io::Result<u64> {
            self.0.len()
        }
        fn read(&self, buf: &mut [u8], offset: u64) -> std::io::Result<()> {
            self.0.read(buf, offset)
        }
        fn write(&self, buf: &[u8], offset: u64, _: bool) -> std::io::Result<()> {
            self.0.write(buf, offset, false)
        }
        fn discard(&self, offset: u64, len: u64) -> std::io::Result<()> {
            self.0.discard(offset, len)
        }
        fn flush(&self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let size = SectorSize::B4096;
    let medium = PowerCut::new(len(size), 4096, usize::MAX - 1);
    let volume = Arc::new(open(Box::new(Liar(medium.clone())), size));
    let history = Arc::new(History::new(4096, &never_written(size)));
    let plan = Plan { volume, history, seed: 1, steps: 100 };
    plan.prepare().unwrap();
    plan.threads(1);
    let again = MemBackend::new(len(size) as u64);
    again.bytes().write().unwrap().copy_from_slice(&medium.after_the_cut(&mut Random::new(1)));
    plan.history.check_survivors(&read(&open(Box::new(again), size), 0, len(size)).unwrap());
}
