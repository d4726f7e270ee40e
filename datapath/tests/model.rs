//! The disk against plain bytes: whatever is in flight together, what overlaps happens in the order of submission.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod support;

use std::sync::mpsc::Receiver;
use std::thread;

use datapath::buf::Buf;
use datapath::disk::{Command, Disk, Outcome};
use datapath::old::backend::Backend;
use datapath::old::backend::file::FileBackend;
use datapath::old::backend::mem::MemBackend;
use datapath::old::volume::{DiskOptions, EncryptedDisk};
use keywrap::geometry::SectorSize;
use proptest::prelude::*;
use support::{buf, key, read, run, segment, start, write};

const OFFSET: u64 = 1536;
const SECTORS: u64 = 12;

#[derive(Clone, Debug)]
enum Step {
    Read(usize, usize),
    Write(usize, usize, u8, bool),
    Zeroes(usize, usize, bool),
    Trim(usize, usize),
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
        1 => range().prop_map(|(at, len)| Step::Trim(at, len)),
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

fn disk_on(backend: Box<dyn Backend>, size: SectorSize) -> EncryptedDisk {
    let segment = segment(OFFSET, SECTORS, size);
    EncryptedDisk::open(backend, &key(9, 64), segment, DiskOptions::default()).unwrap()
}

/// Submits every step without waiting, then compares what each read returned with the model at its place in line.
fn check(disk: &dyn Disk, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut model = vec![0; usize::try_from(disk.geometry().len.0).unwrap()];
    run(disk, Command::WriteZeroes { fua: false }, 0, disk.geometry().len.0).unwrap();
    let mut pending: Vec<(Receiver<Outcome>, Option<Vec<u8>>)> = Vec::new();
    for step in steps {
        let (outcome, expected) = submit(disk, &mut model, step);
        pending.push((outcome, expected));
    }
    for (outcome, expected) in pending {
        let outcome = outcome.recv().unwrap();
        prop_assert!(outcome.result.is_ok());
        if let Some(expected) = expected {
            prop_assert!(outcome.buf.as_slice() == expected);
        }
    }
    prop_assert!(read(disk, 0, model.len()).unwrap() == model);
    Ok(())
}

fn submit(disk: &dyn Disk, model: &mut [u8], step: &Step) -> (Receiver<Outcome>, Option<Vec<u8>>) {
    let send = |command, at: usize, len: usize, buf| start(disk, command, at as u64, len as u64, buf);
    match *step {
        Step::Read(at, len) => (send(Command::Read, at, len, Buf::zeroed(len)), Some(model[at..at + len].to_vec())),
        Step::Write(at, len, seed, fua) => {
            let payload = pattern(len, seed);
            model[at..at + len].copy_from_slice(&payload);
            (send(Command::Write { fua }, at, len, buf(&payload)), None)
        }
        Step::Zeroes(at, len, fua) => {
            model[at..at + len].fill(0);
            (send(Command::WriteZeroes { fua }, at, len, Buf::zeroed(0)), None)
        }
        Step::Trim(at, len) => (send(Command::Trim { fua: false }, at, len, Buf::zeroed(0)), None),
        Step::Flush => (send(Command::Flush, 0, 0, Buf::zeroed(0)), None),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn operations_in_flight_together_act_in_order_of_submission_in_memory((size, steps) in steps()) {
        let backend = MemBackend::new(OFFSET + segment(OFFSET, SECTORS, size).len.0).unwrap();
        check(&disk_on(Box::new(backend), size), &steps)?;
    }

    #[test]
    fn operations_in_flight_together_act_in_order_of_submission_on_a_file((size, steps) in steps()) {
        let file = tempfile::tempfile().unwrap();
        file.set_len(OFFSET + segment(OFFSET, SECTORS, size).len.0).unwrap();
        check(&disk_on(Box::new(FileBackend::new(file).unwrap()), size), &steps)?;
    }
}

#[test]
fn writers_of_different_parts_of_one_sector_do_not_lose_each_others_bytes() {
    const LANE: usize = 64;
    let backend = MemBackend::new(OFFSET + SECTORS * 512).unwrap();
    let disk = disk_on(Box::new(backend), SectorSize::B512);
    thread::scope(|scope| {
        for lane in 0..512 / LANE {
            let disk = &disk;
            scope.spawn(move || {
                for round in 0..200u8 {
                    let sector = u64::from(round) % 4;
                    write(disk, sector * 512 + (lane * LANE) as u64, &[round; LANE], false).unwrap();
                }
            });
        }
    });
    for sector in 0..4u8 {
        assert_eq!(read(&disk, u64::from(sector) * 512, 512).unwrap(), [196 + sector; 512]);
    }
}

#[test]
fn a_sector_is_always_whole_as_one_of_several_writers_left_it() {
    let backend = MemBackend::new(OFFSET + SECTORS * 4096).unwrap();
    let disk = disk_on(Box::new(backend), SectorSize::B4096);
    run(&disk, Command::WriteZeroes { fua: false }, 0, SECTORS * 4096).unwrap();
    let whole = |bytes: Vec<u8>| bytes.chunks(4096).all(|sector| sector.iter().all(|byte| *byte == sector[0]));
    thread::scope(|scope| {
        for writer in 0..4u8 {
            let disk = &disk;
            scope.spawn(move || {
                for round in 0..60u8 {
                    let first = (u64::from(round) * 7 + u64::from(writer) * 3) % 8;
                    write(disk, first * 4096, &[round * 4 + writer; 4 * 4096], false).unwrap();
                }
            });
        }
        for _ in 0..60 {
            assert!(whole(read(&disk, 0, 12 * 4096).unwrap()));
        }
    });
    assert!(whole(read(&disk, 0, 12 * 4096).unwrap()));
}
