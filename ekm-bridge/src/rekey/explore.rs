//! Every order in which a small cluster can rekey, cancel, decommission and crash.
//!
//! The world below is what survives a crash: the store, the headers on their media, the key servers. Every step is one
//! durable change, and which steps are possible depends on the world alone. So a crash is that no step follows for a
//! while, and walking every order of steps walks every crash as well. Steps ask the functions that the product asks.

use std::collections::{HashSet, VecDeque};

use keywrap::keys::KeyId;
use uuid::Uuid;

use super::life::{self, Facts};
use super::machine::{self, Change, Ending, Input, KeyChange, Next, Progress};
use crate::records::{MasterKeyState, RekeyPhase};

const KEYS: usize = 3;
const VOLUMES: usize = 2;
const SERVERS: usize = 2;

/// A key on a key server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum OnServer {
    Absent,
    Live,
    Revoked,
    Destroyed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    rekey: Option<Progress>,
    in_force: usize,
    /// Grows whenever another key comes into force.
    generation: u8,
    begun: usize,
    ledger: [Option<MasterKeyState>; KEYS],
    proven: [bool; KEYS],
    servers: [[OnServer; KEYS]; SERVERS],
    /// The keys that each header names, and those that its record names, as bits.
    medium: [u8; VOLUMES],
    record: [u8; VOLUMES],
    is_there: [bool; VOLUMES],
    /// A key whose provider gives no answer.
    silent: Option<usize>,
}

fn id(key: usize) -> KeyId {
    KeyId(Uuid::from_u128(key as u128))
}

fn number(id: KeyId) -> usize {
    usize::try_from(id.0.as_u128()).unwrap()
}

fn bit(key: usize) -> u8 {
    1 << key
}

impl World {
    fn first() -> Self {
        let mut servers = [[OnServer::Absent; KEYS]; SERVERS];
        servers.iter_mut().for_each(|server| server[0] = OnServer::Live);
        Self {
            rekey: None,
            in_force: 0,
            generation: 0,
            begun: 0,
            ledger: [Some(MasterKeyState::Active), None, None],
            proven: [false; KEYS],
            servers,
            medium: [bit(0); VOLUMES],
            record: [bit(0); VOLUMES],
            is_there: [true; VOLUMES],
            silent: None,
        }
    }

    fn is_live(&self, key: usize) -> bool {
        self.servers.iter().any(|server| server[key] == OnServer::Live)
    }

    /// Whether the key can be had now.
    fn is_at_hand(&self, key: usize) -> bool {
        self.is_live(key) && self.silent != Some(key)
    }

    fn dependants(&self, key: usize) -> usize {
        self.record.iter().filter(|record| **record & bit(key) != 0).count()
    }

    /// The world after one transaction of a rekey; `None` when the machine refuses.
    fn told(&self, input: Input) -> Option<Self> {
        let mut world = self.clone();
        let Change { next, keys } = machine::step(self.rekey?, input).ok()?;
        for change in keys {
            let (key, state) = match change {
                KeyChange::InForce(key) | KeyChange::Restored(key) => {
                    world.in_force = number(key);
                    world.generation += 1;
                    (key, MasterKeyState::Active)
                }
                KeyChange::Retired(key) | KeyChange::Unused(key) => (key, MasterKeyState::ToDecommission),
            };
            world.ledger[number(key)] = Some(state);
        }
        world.rekey = match next {
            Next::Goes(progress) => Some(progress),
            Next::Ends(Ending::Done | Ending::NoKey | Ending::Cancelled) => None,
        };
        Some(world)
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut world = self.clone();
        change(&mut world);
        world
    }

    /// Worlds that the product can make of this one.
    fn steps(&self) -> Vec<Self> {
        let mut next = self.of_rekey();
        next.extend((0..VOLUMES).flat_map(|volume| self.of_volume(volume)));
        next.extend((0..KEYS).flat_map(|key| self.of_key(key)));
        next.retain(|world| world != self);
        next
    }

    fn of_rekey(&self) -> Vec<Self> {
        let Some(rekey) = self.rekey else { return Vec::new() };
        let new = self.begun;
        let mut next: Vec<Self> = Vec::new();
        if rekey.phase == RekeyPhase::CreateNewMasterKey {
            // One server makes the key, the other gets a copy; either may be away.
            for server in 0..SERVERS {
                let is_absent = self.servers[server][new] == OnServer::Absent;
                if is_absent && !rekey.is_cancelled && self.silent != Some(new) {
                    next.push(self.with(|world| world.servers[server][new] = OnServer::Live));
                }
            }
            let outcome = if self.is_live(new) { Input::KeyMade(id(new)) } else { Input::NoKey };
            next.extend(self.told(outcome));
        }
        let is_wrapped = rekey.new.is_some_and(|new| self.dependants(number(new)) > 0);
        let is_stuck = rekey.new.is_some_and(|new| !self.is_at_hand(number(new)));
        next.extend(self.told(Input::Moved));
        next.extend(self.told(Input::Ended));
        next.extend(self.told(Input::Cancel { is_wrapped, is_stuck }));
        next
    }

    /// A header on its way to the key in force: announced, wrapped, freed of the others, read back. The data key comes from
    /// another key, or from the memory of an open volume, also while no other key is to be had.
    fn of_volume(&self, volume: usize) -> Vec<Self> {
        let (medium, record) = (self.medium[volume], self.record[volume]);
        let mut next = vec![self.with(|world| world.record[volume] |= bit(self.in_force))];
        if !self.is_there[volume] {
            return next;
        }
        let key = self.in_force;
        if record & bit(key) != 0 && self.is_at_hand(key) {
            let wrapped = if medium & bit(key) == 0 { medium | bit(key) } else { bit(key) };
            next.push(self.with(|world| world.medium[volume] = wrapped));
        }
        next.push(self.with(|world| world.record[volume] = medium));
        next
    }

    fn of_key(&self, key: usize) -> Vec<Self> {
        let Some(state) = self.ledger[key] else { return Vec::new() };
        if key == self.in_force {
            return Vec::new();
        }
        let facts = Facts {
            state,
            is_internal: false,
            dependants: self.dependants(key),
            is_due: true,
            is_proven: self.proven[key],
            is_forced: false,
            may_return: self.rekey.is_some_and(|rekey| rekey.may_restore(id(key))),
        };
        match life::next(&facts) {
            life::Next::Prove => self.proof_of(key),
            life::Next::Revoke => self.ends_everywhere(key, OnServer::Revoked, MasterKeyState::Revoked),
            life::Next::Destroy => self.ends_everywhere(key, OnServer::Destroyed, MasterKeyState::Destroyed),
            _waits => Vec::new(),
        }
    }

    /// Headers that are there are read; for the others their record counts. Every server must have the key in force.
    fn proof_of(&self, key: usize) -> Vec<Self> {
        let is_named = (0..VOLUMES).any(|volume| self.is_there[volume] && self.medium[volume] & bit(key) != 0);
        let agrees = self.servers.iter().all(|server| server[self.in_force] == OnServer::Live);
        if is_named || !agrees || self.silent == Some(self.in_force) {
            return Vec::new();
        }
        vec![self.with(|world| world.proven[key] = true)]
    }

    /// One server after the other, in any order; then the ledger.
    fn ends_everywhere(&self, key: usize, to: OnServer, state: MasterKeyState) -> Vec<Self> {
        let is_done = |on: OnServer| on == OnServer::Absent || on == OnServer::Destroyed || on == to;
        let open: Vec<usize> = (0..SERVERS).filter(|server| !is_done(self.servers[*server][key])).collect();
        if self.silent == Some(key) {
            return Vec::new();
        }
        if open.is_empty() {
            return vec![self.with(|world| world.ledger[key] = Some(state))];
        }
        open.into_iter().map(|server| self.with(|world| world.servers[server][key] = to)).collect()
    }

    /// Worlds that others make of this one.
    fn surroundings(&self) -> Vec<Self> {
        let mut next: Vec<Self> =
            (0..VOLUMES).map(|volume| self.with(|world| world.is_there[volume] = !world.is_there[volume])).collect();
        if self.rekey.is_none() && self.begun + 1 < KEYS {
            next.push(self.with(|world| {
                let phase = RekeyPhase::CreateNewMasterKey;
                world.begun += 1;
                world.rekey = Some(Progress { old: id(world.in_force), new: None, phase, is_cancelled: false });
            }));
        }
        next.extend([None].into_iter().chain((0..=self.begun).map(Some)).map(|key| self.with(|w| w.silent = key)));
        // A copy that was missed is made up for.
        for server in 0..SERVERS {
            if self.servers[server][self.in_force] == OnServer::Absent && self.silent.is_none() {
                next.push(self.with(|world| world.servers[server][world.in_force] = OnServer::Live));
            }
        }
        next
    }

    fn check(&self) {
        for volume in 0..VOLUMES {
            let (medium, record) = (self.medium[volume], self.record[volume]);
            assert!(
                (0..KEYS).any(|key| medium & bit(key) != 0 && self.is_live(key)),
                "volume {volume} is lost: {self:?}"
            );
            assert_eq!(medium & !record, 0, "volume {volume} depends on a key that its record does not name: {self:?}");
        }
        for key in 0..KEYS {
            let is_ended = self.servers.iter().any(|on| matches!(on[key], OnServer::Revoked | OnServer::Destroyed));
            let is_named = self.medium.iter().any(|medium| medium & bit(key) != 0);
            assert!(!is_ended || (!is_named && key != self.in_force && self.proven[key]), "key {key}: {self:?}");
        }
        assert_eq!(self.ledger[self.in_force], Some(MasterKeyState::Active), "{self:?}");
    }

    /// Nothing is left to do: one key, and every header names it alone.
    fn check_end(&self) {
        let is_quiet = self.is_there.iter().all(|there| *there) && self.rekey.is_none() && self.silent.is_none();
        let is_whole = self.servers.iter().all(|server| server[self.in_force] == OnServer::Live);
        if !is_quiet || !is_whole || !self.steps().is_empty() {
            return;
        }
        assert_eq!(self.medium, [bit(self.in_force); VOLUMES], "{self:?}");
        for key in (0..KEYS).filter(|key| *key != self.in_force) {
            assert!(matches!(self.ledger[key], None | Some(MasterKeyState::Destroyed)), "key {key} stays: {self:?}");
            let is_orphan = self.ledger[key].is_none() && self.is_live(key);
            assert!(!is_orphan, "key {key} is on a server and nobody knows of it: {self:?}");
        }
    }
}

#[test]
fn whatever_the_order_no_volume_is_lost_and_no_key_ends_early_or_stays_for_ever() {
    let (mut known, mut open) = (HashSet::new(), VecDeque::from([World::first()]));
    let mut ends = 0;
    while let Some(world) = open.pop_front() {
        world.check();
        world.check_end();
        ends += usize::from(world.steps().is_empty());
        for next in world.steps().into_iter().chain(world.surroundings()) {
            assert!(next.generation >= world.generation, "generations never go back");
            if known.insert(next.clone()) {
                open.push_back(next);
            }
        }
    }
    assert!(known.len() > 10_000 && ends > 0, "{} worlds, {ends} ends", known.len());
}

/// Two rekeys back to back, the key of the first one away for good: no volume is lost, and the second comes to its end.
#[test]
fn a_rekey_that_is_stuck_ends_when_it_is_called_off_and_another_one_brings_open_volumes_along() {
    let begins = |world: &World| {
        let phase = RekeyPhase::CreateNewMasterKey;
        world.with(|world| {
            world.begun += 1;
            world.servers.iter_mut().for_each(|server| server[world.begun] = OnServer::Live);
            world.rekey = Some(Progress { old: id(world.in_force), new: None, phase, is_cancelled: false });
        })
    };
    let world = begins(&World::first()).told(Input::KeyMade(id(1))).unwrap();
    // One volume is on both keys, the other on the old one, when the key is out of reach.
    let mut world = world.with(|world| (world.medium[0], world.record, world.silent) = (3, [3, 3], Some(1)));
    assert!(world.told(Input::Cancel { is_wrapped: true, is_stuck: false }).is_none());
    world = world.told(Input::Cancel { is_wrapped: true, is_stuck: true }).unwrap();
    assert!(world.of_key(0).is_empty(), "the oldest key has dependants");
    world = world.told(Input::Ended).unwrap();
    world = begins(&world).told(Input::KeyMade(id(2))).unwrap();
    let mut steps = 0;
    while let Some(next) = world.steps().into_iter().find(|next| next.rekey.is_none_or(|rekey| !rekey.is_cancelled)) {
        world = next;
        world.check();
        steps += 1;
        assert!(steps < 1000, "it never ends: {world:?}");
    }
    assert_eq!((world.medium, world.in_force), ([bit(2); VOLUMES], 2));
    let states = [0, 1].map(|key| world.ledger[key]);
    assert_eq!(states, [Some(MasterKeyState::Destroyed), Some(MasterKeyState::ToDecommission)], "the silent one waits");
}
