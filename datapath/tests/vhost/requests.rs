//! What the device does with requests, against a model of plain bytes.

use std::io::Read;
use std::time::Duration;

use datapath::ring::Kind;
use datapath::volume::DiskOptions;
use keywrap::geometry::{ByteLen, SectorSize};

use super::driver::SLOTS;
use super::front_end::{
    DISCARD, EVENT_IDX, F_FLUSH, FAILED, FLUSH, GET_ID, Guest, INDIRECT, OK, QUEUES, READ, SLOT_LEN, UNSUPPORTED,
    WRITE, WRITE_ZEROES,
};
use super::served::{LEN, Served};

/// A generator of numbers that are the same each time (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % limit
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len.div_ceil(8)).flat_map(|_| self.below(u64::MAX).to_le_bytes()).take(len).collect()
    }
}

/// A discard or write-zeroes range.
fn range(sector: u64, sectors: u32, flags: u32) -> Vec<u8> {
    [&sector.to_le_bytes()[..], &sectors.to_le_bytes(), &flags.to_le_bytes()].concat()
}

/// Rounds of requests that do not overlap, all in flight together on both queues, of all lengths and alignments.
fn exercise(served: &Served, without: u64, seed: u64) {
    let (mut guest, mut random) = (Guest::boot(&served.socket(), without), Random(seed));
    let mut model = served.content();
    for _ in 0..6 {
        let mut expected = Vec::new();
        let stripe = LEN / u64::from(SLOTS);
        let earlier: Vec<u16> = guest.queues.iter().map(super::driver::Driver::position).collect();
        for slot in 0..SLOTS {
            let sectors = 1 + if random.below(4) == 0 { random.below(SLOT_LEN / 512) } else { random.below(24) };
            let sector = u64::from(slot) * stripe / 512 + random.below(stripe / 512 - sectors);
            let sector = if random.below(2) == 0 { sector / 8 * 8 } else { sector };
            let (at, len) = (usize::try_from(sector * 512).unwrap(), usize::try_from(sectors * 512).unwrap());
            let queue = usize::from(slot % QUEUES);
            let kind = [READ, WRITE, WRITE, WRITE_ZEROES][usize::try_from(random.below(4)).unwrap()];
            let mut request_len = len;
            match kind {
                WRITE => {
                    model[at..at + len].copy_from_slice(&random.bytes(len));
                    guest.put_data(slot, &model[at..at + len]);
                }
                WRITE_ZEROES => {
                    model[at..at + len].fill(0);
                    let sectors = u32::try_from(sectors).unwrap();
                    let half = sectors / 2;
                    let halves = [range(sector, half, 0), range(sector + u64::from(half), sectors - half, 1)];
                    guest.put_data(slot, &halves.concat());
                    request_len = 32;
                }
                _ => (),
            }
            guest.add(queue, slot, kind, sector, u32::try_from(request_len).unwrap());
            expected.push((kind, at, len));
        }
        for (queue, earlier) in earlier.into_iter().enumerate() {
            guest.queues[queue].kick(earlier);
            let mut seen = vec![false; expected.len()];
            for _ in 0..SLOTS / QUEUES {
                let (slot, _) = guest.queues[queue].wait();
                assert!(!std::mem::replace(&mut seen[usize::from(slot)], true), "slot {slot} is done twice");
                assert_eq!(guest.status(queue, slot), OK);
                let (kind, at, len) = expected[usize::from(slot)];
                assert!(kind != READ || guest.get_data(slot, len) == model[at..at + len], "{at} {len}");
            }
        }
    }
    assert_eq!(guest.run(0, FLUSH, 0, 0), OK);
    assert!(served.content() == model);
}

#[test]
fn reads_give_what_was_written_on_every_ring_with_every_feature() {
    let plain = DiskOptions::default();
    for (kind, sector_size, without, seed) in [
        (Kind::Uring, SectorSize::B4096, 0, 1),
        (Kind::Uring, SectorSize::B512, EVENT_IDX, 2),
        (Kind::Uring, SectorSize::B4096, INDIRECT | F_FLUSH, 3),
        (Kind::Poll, SectorSize::B4096, EVENT_IDX | INDIRECT, 4),
        (Kind::Poll, SectorSize::B512, 0, 5),
    ] {
        exercise(&Served::with(kind, sector_size, plain), without, seed);
    }
}

#[test]
fn more_data_than_there_is_memory_for_waits_and_comes_through() {
    let served = Served::new();
    let mut guest = Guest::boot(&served.socket(), 0);
    let len = u32::try_from(SLOT_LEN).unwrap();
    let bytes = Random(9).bytes(len as usize);
    for round in 0..8_u64 {
        let earlier = guest.queues[0].position();
        for slot in 0..SLOTS {
            // Everyone reads and writes the same sectors: they also wait for each other.
            guest.put_data(slot, &bytes);
            guest.add(0, slot, if round % 2 == 0 { WRITE } else { READ }, 0, len);
        }
        guest.queues[0].kick(earlier);
        for _ in 0..SLOTS {
            let (slot, _) = guest.queues[0].wait();
            assert_eq!(guest.status(0, slot), OK);
            assert!(guest.get_data(slot, len as usize) == bytes);
        }
    }
}

#[test]
fn a_guest_learns_what_the_device_is() {
    let served = Served::new();
    let mut guest = Guest::boot(&served.socket(), 0);
    assert_eq!(guest.config(0, 8), (LEN / 512).to_le_bytes());
    assert_eq!(guest.config(20, 4), 4096_u32.to_le_bytes());
    assert_eq!(guest.config(44, 4), 8_u32.to_le_bytes(), "discards are aligned to blocks");
    assert_eq!(guest.config(60, 36), [0; 36], "fields of later versions read as zero");
    assert_eq!(guest.run(0, GET_ID, 0, 20), OK);
    assert_eq!(guest.get_data(0, 20), b"a serial of more tha");
    let every = [5, 6, 2, 9, 12, 13, 14, 28, 29, 30, 32];
    let offered: Vec<u32> = every.into_iter().filter(|bit| guest.features & 1 << bit != 0).collect();
    assert_eq!(offered, [6, 2, 9, 12, 13, 14, 28, 29, 30, 32], "all but read-only");
}

#[test]
fn a_new_length_is_told_to_the_front_end() {
    let served = Served::new();
    let mut guest = Guest::boot(&served.socket(), 0);
    let mut told = guest.listen();
    told.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    served.volume.resize(ByteLen(LEN + 8192)).unwrap();
    let mut message = [0; 12];
    told.read_exact(&mut message).unwrap();
    let words: Vec<u32> = message.chunks(4).map(|word| u32::from_ne_bytes(word.try_into().unwrap())).collect();
    assert_eq!(words, [2, 1, 0], "VHOST_USER_BACKEND_CONFIG_CHANGE_MSG, version 1, no payload");
    assert_eq!(guest.config(0, 8), ((LEN + 8192) / 512).to_le_bytes());
    assert_eq!(guest.write(1, LEN / 512, &[7; 8192]), OK);
}

#[test]
fn requests_that_cannot_be_are_refused_and_change_nothing() {
    let served = Served::new();
    served.clear();
    let mut guest = Guest::boot(&served.socket(), 0);
    let end = LEN / 512;
    for (kind, sector, len, status) in [
        (READ, end, 512, FAILED),
        (READ, end - 1, 1024, FAILED),
        (WRITE, end - 1024, 524_800, FAILED),
        (WRITE, u64::MAX, 512, FAILED),
        (WRITE, u64::MAX / 512, 512, FAILED),
        (READ, 0, 511, FAILED),
        (WRITE, 0, 513, FAILED),
        (DISCARD, 0, 0, FAILED),
        (DISCARD, 0, 15, FAILED),
        (WRITE_ZEROES, 0, 17 * 16, FAILED),
        (2, 0, 512, UNSUPPORTED),
        (0xffff_ffff, 0, 512, UNSUPPORTED),
    ] {
        guest.put_data(0, &vec![9; 600_000]);
        assert_eq!(guest.run(0, kind, sector, len), status, "{kind} {sector} {len}");
    }
    for (kind, ranges, status) in [
        (WRITE_ZEROES, range(end - 1, 2, 0), FAILED),
        (WRITE_ZEROES, range(u64::MAX, 1, 0), FAILED),
        (WRITE_ZEROES, range(0, u32::MAX, 0), FAILED),
        (WRITE_ZEROES, range(0, 1, 2), UNSUPPORTED),
        (DISCARD, range(0, 8, 1), UNSUPPORTED),
        (DISCARD, range(0, u32::MAX, 0), FAILED),
        (DISCARD, [range(0, 8, 0), range(end, 8, 0)].concat(), FAILED),
    ] {
        guest.put_data(0, &ranges);
        assert_eq!(guest.run(0, kind, 0, u32::try_from(ranges.len()).unwrap()), status);
    }
    assert!(served.content().iter().all(|byte| *byte == 0));
}

#[test]
fn a_read_only_device_refuses_changes_and_one_without_discards_does_not_know_them() {
    let options = DiskOptions { read_only: true, discards: true, ..DiskOptions::default() };
    let served = Served::with(Kind::Uring, SectorSize::B4096, options);
    let mut guest = Guest::boot(&served.socket(), 0);
    assert_eq!(guest.features & (1 << 5 | 1 << 13 | 1 << 14), 1 << 5);
    assert_eq!(guest.write(0, 0, &[1; 4096]), FAILED);
    guest.put_data(0, &range(0, 8, 0));
    assert_eq!(guest.run(0, WRITE_ZEROES, 0, 16), FAILED);
    assert_eq!(guest.run(0, DISCARD, 0, 16), UNSUPPORTED);
    assert_eq!(guest.run(0, FLUSH, 0, 0), OK);
    assert_eq!(guest.read(1, 0, 4096).len(), 4096);
}

#[test]
fn a_strict_device_refuses_parts_of_blocks() {
    let options = DiskOptions { strict_alignment: true, ..DiskOptions::default() };
    let served = Served::with(Kind::Uring, SectorSize::B4096, options);
    let mut guest = Guest::boot(&served.socket(), 0);
    for (kind, sector, len) in [(READ, 1, 4096), (WRITE, 0, 512), (WRITE, 4, 4096)] {
        assert_eq!(guest.run(0, kind, sector, len), FAILED, "{kind} {sector} {len}");
    }
    assert_eq!(guest.write(0, 8, &[1; 4096]), OK);
}
