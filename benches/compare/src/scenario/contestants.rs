//! Who can take part: our engines, their ceilings, the peers.

use std::sync::Arc;

use datapath::cipher::ceiling::Ceiling;
use datapath::cipher::dispatch::Engine;
use datapath::cipher::{Buffers, Cipher, Direction};
use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;

use crate::harness::{Contestant, Lane, Work};
use crate::peers::{self, Maker};

/// The work of a race, to be done by anyone.
#[derive(Clone, Copy)]
pub(super) struct Job {
    pub(super) direction: Direction,
    pub(super) unit: SectorSize,
    /// Bytes per call; `None` for a whole lane in one call.
    pub(super) call: Option<usize>,
    /// From the lane's source to its destination, not in place.
    pub(super) copy: bool,
    /// Threads.
    pub(super) lanes: usize,
}

impl Job {
    /// In place on one thread, a whole lane in one call.
    pub(super) const fn new(unit: SectorSize, direction: Direction) -> Self {
        Self { direction, unit, call: None, copy: false, lanes: 1 }
    }

    /// One of our engines.
    pub(super) fn sear(self, key: &VolumeKey, engine: Engine) -> Contestant {
        let cipher = Arc::new(Cipher::new(key, engine));
        self.contestant(&engine.to_string(), || {
            let cipher = Arc::clone(&cipher);
            move |buffers: Buffers<'_>, tweak| plain(&cipher, self.direction, buffers, self.unit, tweak)
        })
    }

    /// One of our engines, by [`Cipher::bulk`].
    pub(super) fn bulk(self, key: &VolumeKey, engine: Engine, name: &str) -> Contestant {
        let cipher = Arc::new(Cipher::new(key, engine));
        self.contestant(name, || {
            let cipher = Arc::clone(&cipher);
            move |buffers: Buffers<'_>, tweak| cipher.bulk(self.direction, buffers, self.unit, tweak)
        })
    }

    /// Somebody else.
    pub(super) fn peer(self, key: &VolumeKey, maker: Maker) -> Contestant {
        self.contestant(maker.name, || {
            let mut peer = (maker.make)(key);
            move |buffers: Buffers<'_>, tweak| peers::run(&mut *peer, self.direction, buffers, self.unit, tweak)
        })
    }

    /// What `engine` could reach at most; always in place.
    pub(super) fn ceiling(self, key: &VolumeKey, engine: Engine) -> Contestant {
        let ceiling = Arc::new(Ceiling::new(key, engine));
        let lane = |_| -> Work {
            let ceiling = Arc::clone(&ceiling);
            Box::new(move |lane: &mut Lane<'_>| ceiling.run(self.direction, lane.data))
        };
        Contestant { name: ceiling_of(engine), lanes: (0..self.lanes).map(lane).collect(), pooled: false }
    }

    fn contestant<Run>(self, name: &str, mut run: impl FnMut() -> Run) -> Contestant
    where
        Run: FnMut(Buffers<'_>, u64) + Send + 'static,
    {
        let lanes = (0..self.lanes).map(|_| self.work(run())).collect();
        Contestant { name: name.to_owned(), lanes, pooled: false }
    }

    /// `run` for every call of a lane, with the calls' first tweaks.
    fn work(self, mut run: impl FnMut(Buffers<'_>, u64) + Send + 'static) -> Work {
        Box::new(move |lane| {
            let len = self.call.unwrap_or(lane.data.len());
            let step = self.unit.tweak_step() * (len as u64 >> self.unit.shift());
            let tweaks = (0..).map(|call: u64| call * step);
            if self.copy {
                let calls = lane.data.chunks_exact(len).zip(lane.out.chunks_exact_mut(len));
                calls.zip(tweaks).for_each(|((from, to), tweak)| run(Buffers::Copy { from, to }, tweak));
            } else {
                let calls = lane.data.chunks_exact_mut(len).zip(tweaks);
                calls.for_each(|(data, tweak)| run(Buffers::InPlace(data), tweak));
            }
        })
    }
}

/// The name of [`Job::ceiling`].
pub(super) fn ceiling_of(engine: Engine) -> String {
    format!("{engine} ceiling")
}

/// A call of the cipher on the calling thread.
fn plain(cipher: &Cipher, direction: Direction, buffers: Buffers<'_>, unit: SectorSize, tweak: u64) {
    match (direction, buffers) {
        (Direction::Encrypt, Buffers::InPlace(data)) => cipher.encrypt(data, unit, tweak),
        (Direction::Decrypt, Buffers::InPlace(data)) => cipher.decrypt(data, unit, tweak),
        (Direction::Encrypt, Buffers::Copy { from, to }) => cipher.encrypt_to(from, to, unit, tweak),
        (Direction::Decrypt, Buffers::Copy { from, to }) => cipher.decrypt_to(from, to, unit, tweak),
    }
}
