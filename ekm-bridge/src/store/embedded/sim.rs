//! A medium in memory that loses power at a chosen step and then holds any mixture of what was not synced.

use std::io;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

pub(crate) use super::open_file::OpenFile;
use super::tables::{self, Failure};
use super::{Path, builder};
use crate::store::{Snapshot, StoreError};

/// Writes are torn at this size in bytes, the atomic unit of a disk.
const ATOM: usize = 512;

#[derive(Debug)]
enum Pending {
    Write { offset: usize, data: Vec<u8> },
    SetLen(usize),
}

#[derive(Debug)]
struct State {
    /// What reads return.
    live: Vec<u8>,
    /// What the last sync made certain.
    durable: Vec<u8>,
    /// What happened since, in order.
    pending: Vec<Pending>,
}

/// A supply of steps (writes, length changes, syncs, new names), after which everything on it fails. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Power(Arc<Mutex<usize>>);

impl Power {
    /// Power for this many steps.
    pub(crate) fn new(steps: usize) -> Self {
        Self(Arc::new(Mutex::new(steps)))
    }

    /// Power without end.
    pub(crate) fn endless() -> Self {
        Self::new(usize::MAX)
    }

    /// Steps that were not used.
    pub(crate) fn left(&self) -> usize {
        *self.0.lock().unwrap()
    }

    /// Leaves only so many steps from now on.
    pub(crate) fn limit(&self, steps: usize) {
        *self.0.lock().unwrap() = steps;
    }

    /// Takes one step, if there is one.
    pub(crate) fn step(&self) -> io::Result<()> {
        let mut left = self.0.lock().unwrap();
        *left = left.checked_sub(1).ok_or_else(|| io::Error::other("the power failed"))?;
        Ok(())
    }
}

/// What the unsynced steps leave behind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Survive {
    /// Nothing since the last sync.
    Nothing,
    /// Everything, whole.
    Everything,
    /// Each atom of each write by the toss of a coin, reproducible from the seed.
    Coin(u64),
}

/// The simulated medium; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct SimDisk {
    state: Arc<Mutex<State>>,
    /// The machine's, and perhaps the disk's own: one that runs out while the machine goes on is a broken disk.
    power: Vec<Power>,
}

impl SimDisk {
    /// A medium that holds `image` durably and takes `steps` steps before the power fails.
    pub(super) fn new(image: Vec<u8>, steps: usize) -> Self {
        Self::powered(image, vec![Power::new(steps)])
    }

    /// The same, with power that others use too.
    pub(crate) fn powered(image: Vec<u8>, power: Vec<Power>) -> Self {
        let state = State { live: image.clone(), durable: image, pending: Vec::new() };
        Self { state: Arc::new(Mutex::new(state)), power }
    }

    /// Steps that were not used.
    pub(super) fn steps_left(&self) -> usize {
        self.power.iter().map(Power::left).min().unwrap_or(usize::MAX)
    }

    /// What is on the medium after the power came back.
    pub(crate) fn after_crash(&self, survive: Survive) -> Vec<u8> {
        let state = self.state.lock().unwrap();
        let mut coin = Coin::new(survive);
        let mut image = state.durable.clone();
        for step in &state.pending {
            match step {
                Pending::SetLen(len) if coin.toss() => image.resize(*len, 0),
                Pending::SetLen(_) => {}
                Pending::Write { offset, data } => {
                    for (index, atom) in data.chunks(ATOM).enumerate() {
                        if coin.toss() {
                            put(&mut image, offset + index * ATOM, atom);
                        }
                    }
                }
            }
        }
        image
    }

    /// The store on this medium, opened to stay open.
    pub(crate) fn open(&self, name: &Path) -> Result<OpenFile, StoreError> {
        let database = builder().create_with_backend(self.clone());
        OpenFile::over(database.map_err(|error| Failure::from(error).at(name))?, name)
    }

    /// Makes a store that holds `snapshot` on this medium, which is empty, as [`super::write_draft`] does in a file.
    pub(crate) fn write(&self, name: &Path, snapshot: &Snapshot) -> Result<(), StoreError> {
        let write = || -> Result<(), Failure> {
            let database = builder().create_with_backend(self.clone())?;
            tables::initialise(&database, snapshot)?;
            Ok(database.close()?)
        };
        write().map_err(|failure| failure.at(name))
    }

    fn step(&self, act: impl FnOnce(&mut State)) -> io::Result<()> {
        self.power.iter().try_for_each(Power::step)?;
        act(&mut self.state.lock().unwrap());
        Ok(())
    }
}

/// Writes that go past a length change that did not survive extend the image, as a file would.
fn put(image: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if image.len() < end {
        image.resize(end, 0);
    }
    image[offset..end].copy_from_slice(data);
}

struct Coin {
    survive: Survive,
    state: u64,
}

impl Coin {
    fn new(survive: Survive) -> Self {
        let state = if let Survive::Coin(seed) = survive { seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 } else { 0 };
        Self { survive, state }
    }

    fn toss(&mut self) -> bool {
        // xorshift64 (Marsaglia 2003), enough to mix survivors.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        match self.survive {
            Survive::Nothing => false,
            Survive::Everything => true,
            Survive::Coin(_) => self.state.count_ones().is_multiple_of(2),
        }
    }
}

impl StorageBackend for SimDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state.lock().unwrap().live.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state.lock().unwrap();
        let start = usize::try_from(offset).unwrap();
        let bytes = state.live.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).unwrap();
        self.step(|state| {
            state.live.resize(len, 0);
            state.pending.push(Pending::SetLen(len));
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.step(|state| {
            state.durable = state.live.clone();
            state.pending.clear();
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        self.step(|state| {
            put(&mut state.live, offset, data);
            state.pending.push(Pending::Write { offset, data: data.to_owned() });
        })
    }
}
