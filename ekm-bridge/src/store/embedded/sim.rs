//! A medium in memory that loses power at a chosen step and then holds any mixture of what was not synced.

use std::io;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

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
    /// Steps (writes, length changes, syncs) until the power fails.
    steps_left: usize,
}

/// What the unsynced steps leave behind.
#[derive(Clone, Copy, Debug)]
pub(super) enum Survive {
    /// Nothing since the last sync.
    Nothing,
    /// Everything, whole.
    Everything,
    /// Each atom of each write by the toss of a coin, reproducible from the seed.
    Coin(u64),
}

/// The simulated medium; clones share it.
#[derive(Clone, Debug)]
pub(super) struct SimDisk(Arc<Mutex<State>>);

impl SimDisk {
    /// A medium that holds `image` durably and takes `steps` steps before the power fails.
    pub(super) fn new(image: Vec<u8>, steps: usize) -> Self {
        let state = State { live: image.clone(), durable: image, pending: Vec::new(), steps_left: steps };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Steps that were not used.
    pub(super) fn steps_left(&self) -> usize {
        self.0.lock().unwrap().steps_left
    }

    /// What is on the medium after the power came back.
    pub(super) fn after_crash(&self, survive: Survive) -> Vec<u8> {
        let state = self.0.lock().unwrap();
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

    fn step(&self, act: impl FnOnce(&mut State)) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        if state.steps_left == 0 {
            return Err(io::Error::other("the power failed"));
        }
        state.steps_left -= 1;
        act(&mut state);
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
        Ok(self.0.lock().unwrap().live.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.0.lock().unwrap();
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
