//! What concurrent clients of one disk did and saw, and whether it can have happened one operation after the other.
//!
//! A sector is divided into [`CELLS`] cells; each is a register of its own, filled with the number of the operation that
//! wrote it and its own place. In most sectors operations begin and end at sector boundaries, so all cells of a sector
//! that one read sees come from one writer; in every fourth they may begin and end at any cell.
//!
//! A register's history is checked exactly (Gibbons and Korach, "Testing shared memories", 1997, section 4): every value
//! is written once, so zeroes and trims come at most once to each cell.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard};

/// Cells in a sector.
pub const CELLS: usize = 8;
const ZERO: u64 = 0;
const TRIMMED: u64 = 1;
const FIRST: u64 = 2;
/// The end of an operation of which nobody has heard.
const NEVER: u64 = u64::MAX;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Read,
    Write,
    Zeroes,
    Trim,
    Flush,
}

/// An operation that has begun.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub verb: Verb,
    pub offset: u64,
    pub len: usize,
    pub fua: bool,
    id: u64,
    start: u64,
}

/// What is written to a register, or read from it.
#[derive(Clone, Copy, Debug)]
struct Access {
    id: u64,
    start: u64,
    end: u64,
    fua: bool,
}

#[derive(Default)]
struct Cell {
    writes: Vec<Access>,
    reads: Vec<Access>,
    zeroed: bool,
    trimmed: bool,
}

#[derive(Default)]
struct Inner {
    clock: u64,
    id: u64,
    cells: Vec<Cell>,
    /// What all of it reads as when it is trimmed.
    trimmed: Vec<u8>,
    flushes: Vec<(u64, u64)>,
}

/// A disk's history.
pub struct History {
    sector: usize,
    inner: Mutex<Inner>,
}

/// Numbers that repeat with their seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % end as u64).unwrap()
    }
}

impl History {
    /// Of a disk with nothing written: all of it reads as it does when it is trimmed.
    pub fn new(sector: usize, trimmed: &[u8]) -> Self {
        let history = Self { sector, inner: Mutex::new(Inner { id: FIRST, clock: 1, ..Inner::default() }) };
        history.grow(trimmed);
        history
    }

    /// The disk has so many bytes more from now on; they were never written.
    pub fn grow(&self, trimmed: &[u8]) {
        let mut inner = self.lock();
        inner.trimmed.extend_from_slice(trimmed);
        while inner.cells.len() < inner.trimmed.len() / self.cell() {
            let never = Access { id: TRIMMED, start: 0, end: 0, fua: true };
            inner.cells.push(Cell { writes: vec![never], trimmed: true, ..Cell::default() });
        }
    }

    /// Length of the disk in bytes.
    pub fn len(&self) -> usize {
        self.lock().cells.len() * self.cell()
    }

    /// How often something has begun or ended.
    pub fn clock(&self) -> u64 {
        self.lock().clock
    }

    fn cell(&self) -> usize {
        self.sector / CELLS
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Bytes in a sector.
    pub fn sector(&self) -> usize {
        self.sector
    }

    /// Begins a random operation on at most `longest` sectors.
    pub fn begin(&self, random: &mut Random, longest: usize) -> Step {
        self.begin_within(random, longest, self.len())
    }

    /// The same on the first `len` bytes.
    pub fn begin_within(&self, random: &mut Random, longest: usize, len: usize) -> Step {
        let verb = match random.below(32) {
            0 => Verb::Flush,
            1 | 2 => Verb::Zeroes,
            3 => Verb::Trim,
            4..16 => Verb::Read,
            _ => Verb::Write,
        };
        let range = self.range(verb, random, longest, len);
        self.begin_at(verb, range, random.below(24) == 0)
    }

    /// Begins an operation on those bytes, which are whole cells.
    pub fn begin_at(&self, mut verb: Verb, bytes: Range<usize>, fua: bool) -> Step {
        let mut inner = self.lock();
        inner.clock += 1;
        let start = inner.clock;
        let cells = bytes.start / self.cell()..bytes.end / self.cell();
        let once = match verb {
            Verb::Zeroes => inner.cells[cells.clone()].iter().all(|cell| !cell.zeroed),
            Verb::Trim => inner.cells[cells.clone()].iter().all(|cell| !cell.trimmed),
            _ => true,
        };
        if !once {
            verb = Verb::Write;
        }
        let id = match verb {
            Verb::Zeroes => ZERO,
            Verb::Trim => TRIMMED,
            _ => inner.id,
        };
        inner.id += 1;
        if matches!(verb, Verb::Write | Verb::Zeroes | Verb::Trim) {
            for cell in &mut inner.cells[cells] {
                cell.writes.push(Access { id, start, end: NEVER, fua });
                cell.zeroed |= verb == Verb::Zeroes;
                cell.trimmed |= verb == Verb::Trim;
            }
        }
        Step { verb, offset: bytes.start as u64, len: bytes.len(), fua, id, start }
    }

    fn range(&self, verb: Verb, random: &mut Random, longest: usize, len: usize) -> Range<usize> {
        if verb == Verb::Flush {
            return 0..0;
        }
        let sectors = len / self.sector;
        let first = random.below(sectors);
        let last = first + random.below(longest.min(sectors - first));
        let (mut start, mut end) = (first * self.sector, (last + 1) * self.sector);
        let partial = |sector: usize| (verb == Verb::Read || is_shared(sector)) && verb != Verb::Trim;
        if partial(first) && random.below(2) == 0 {
            start += random.below(CELLS) * self.cell();
        }
        if partial(last) && random.below(2) == 0 {
            end = (end - random.below(CELLS) * self.cell()).max(start + self.cell());
        }
        start..end
    }

    /// What a write stores.
    pub fn fill(&self, step: &Step, out: &mut [u8]) {
        let first = in_memory(step.offset) / self.cell();
        for (number, cell) in (first..).zip(out.chunks_exact_mut(self.cell())) {
            for part in cell.chunks_exact_mut(16) {
                part[..8].copy_from_slice(&step.id.to_le_bytes());
                part[8..].copy_from_slice(&(number as u64).to_le_bytes());
            }
        }
    }

    /// An operation has ended well; of a read, with this data.
    pub fn end(&self, step: &Step, data: &[u8]) {
        let mut inner = self.lock();
        inner.clock += 1;
        let (start, end) = (step.start, inner.clock);
        let first = in_memory(step.offset) / self.cell();
        match step.verb {
            Verb::Flush => inner.flushes.push((start, end)),
            Verb::Read => {
                assert_eq!(data.len(), step.len);
                let ids = self.ids(&inner.trimmed, first, data);
                for (number, id) in (first..).zip(ids) {
                    inner.cells[number].reads.push(Access { id, start, end, fua: false });
                }
            }
            Verb::Write | Verb::Zeroes | Verb::Trim => {
                for cell in &mut inner.cells[first..first + step.len / self.cell()] {
                    let write = cell.writes.iter_mut().rfind(|write| (write.id, write.start) == (step.id, start));
                    write.unwrap().end = end;
                }
            }
        }
    }

    /// Who wrote each cell of `data`, which begins at cell `first`. A sector that only whole operations touch is whole.
    fn ids(&self, trimmed: &[u8], first: usize, data: &[u8]) -> Vec<u64> {
        let cells = (first..).zip(data.chunks_exact(self.cell()));
        let ids: Vec<u64> = cells.map(|(number, bytes)| self.id(trimmed, number, bytes)).collect();
        for (at, pair) in (first..).zip(ids.windows(2)) {
            let within = (at + 1) % CELLS != 0 && !is_shared(at / CELLS);
            assert!(!within || pair[0] == pair[1], "sector {} is torn between writers {pair:?}", at / CELLS);
        }
        ids
    }

    fn id(&self, trimmed: &[u8], number: usize, bytes: &[u8]) -> u64 {
        if bytes.iter().all(|byte| *byte == 0) {
            return ZERO;
        }
        if bytes == &trimmed[number * self.cell()..][..self.cell()] {
            return TRIMMED;
        }
        let (id, place) = (word(&bytes[..8]), word(&bytes[8..16]));
        let whole = bytes.chunks_exact(16).all(|part| part == &bytes[..16]);
        assert!(whole && place == number as u64, "cell {number} holds what nobody wrote: {:?}...", &bytes[..16]);
        id
    }

    /// The test fails unless there is an order in which every read saw what had been written before.
    pub fn check(&self) {
        for (number, cell) in self.lock().cells.iter().enumerate() {
            if let Err(why) = cell.check() {
                panic!("cell {} of sector {}: {why}", number % CELLS, number / CELLS);
            }
        }
    }

    /// After a power cut the disk holds `data`: the test fails when anything that was flushed, or written with FUA, was
    /// lost to something older.
    pub fn check_survivors(&self, data: &[u8]) {
        let inner = self.lock();
        let ids = self.ids(&inner.trimmed, 0, data);
        for (number, (id, cell)) in ids.into_iter().zip(&inner.cells).enumerate() {
            let place = format!("cell {} of sector {}", number % CELLS, number / CELLS);
            let found = cell.writes.iter().find(|write| write.id == id);
            let survivor = found.unwrap_or_else(|| panic!("{place} holds {id}, which nobody wrote there"));
            let lost = cell.writes.iter().find(|write| {
                let flushed = |flush: &(u64, u64)| flush.0 > write.end;
                write.start > survivor.end && write.end != NEVER && (write.fua || inner.flushes.iter().any(flushed))
            });
            assert!(lost.is_none(), "{place} holds {survivor:?} although {lost:?} was made durable");
        }
    }
}

impl Cell {
    fn check(&self) -> Result<(), String> {
        let mut clusters: HashMap<u64, Vec<Access>> = HashMap::new();
        for write in &self.writes {
            clusters.insert(write.id, vec![*write]);
        }
        for read in &self.reads {
            let cluster = clusters.get_mut(&read.id).ok_or_else(|| format!("{read:?} was never written"))?;
            if read.end < cluster[0].start {
                return Err(format!("{read:?} came before {:?}", cluster[0]));
            }
            cluster.push(*read);
        }
        // A zone reaches from the first end to the last start of all that has to do with one value.
        let zone = |cluster: &Vec<Access>| {
            let (ends, starts) = (cluster.iter().map(|access| access.end), cluster.iter().map(|access| access.start));
            (ends.min().unwrap_or(0), starts.max().unwrap_or(0))
        };
        let zones: Vec<(u64, u64)> = clusters.values().map(zone).collect();
        let mut forward: Vec<_> = zones.iter().filter(|(first_end, last_start)| first_end < last_start).collect();
        forward.sort_unstable();
        let backward = zones.iter().filter(|(first_end, last_start)| first_end >= last_start);
        let inside = |(end, start): &(u64, u64)| forward.iter().find(|zone| zone.0 < *start && *end < zone.1).copied();
        let overlap = forward.windows(2).find(|pair| pair[1].0 < pair[0].1);
        let conflict = overlap.map(|pair| (*pair[0], *pair[1]));
        let conflict = conflict.or_else(|| backward.clone().find_map(|zone| inside(zone).map(|outer| (*outer, *zone))));
        conflict.map_or(Ok(()), |zones| Err(self.tell(zones)))
    }

    /// The accesses about the two zones, for whoever has to understand them.
    fn tell(&self, (a, b): ((u64, u64), (u64, u64))) -> String {
        let bounds = [a.0, a.1, b.0, b.1];
        let (low, high) = (bounds.iter().min().unwrap(), bounds.iter().max().unwrap());
        let mut text = format!("no order explains the values between {low} and {high}:");
        for (verb, access) in
            self.writes.iter().map(|access| ("write", access)).chain(self.reads.iter().map(|access| ("read", access)))
        {
            if access.start <= *high && access.end >= *low {
                let _ = write!(text, "\n  {verb} {} from {} to {}", access.id, access.start, access.end);
            }
        }
        text
    }
}

/// Whether operations on the sector may cover a part of it.
fn is_shared(sector: usize) -> bool {
    sector % 4 == 3
}

fn word(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().unwrap())
}

fn in_memory(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}
