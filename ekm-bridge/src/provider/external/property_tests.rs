//! Any order of requests, faults and restarts; then peace; then nothing may be orphaned or lost.

use std::collections::BTreeMap;

use keywrap::keys::KeyId;
use proptest::collection::vec;
use proptest::prelude::*;

use super::model::{Fault, StoreFault, World, bytes};
use super::{CachePolicy, KeyProvider, Settings};
use crate::provider::ErrorKind;

#[derive(Clone, Debug)]
enum Step {
    Create,
    Current,
    /// Of the keys that were made, this one.
    Read(usize),
    Destroy(usize),
    Tend,
    Wait(u64),
    Restart,
    Faults(usize, Vec<Fault>),
    Down(usize, Option<ErrorKind>),
    StoreFaults(Vec<StoreFault>),
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => Just(Fault::Fine),
        2 => Just(Fault::LostRequest),
        2 => Just(Fault::LostReply),
        1 => Just(Fault::Refused),
        1 => Just(Fault::NotAuthenticated),
        1 => Just(Fault::WrongBytes),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let down = prop_oneof![
        3 => Just(None),
        2 => Just(Some(ErrorKind::Unreachable)),
        1 => Just(Some(ErrorKind::Refused)),
        1 => Just(Some(ErrorKind::NotAuthenticated)),
    ];
    let store = prop_oneof![Just(StoreFault::Fine), Just(StoreFault::FailsBefore), Just(StoreFault::FailsAfter)];
    prop_oneof![
        4 => Just(Step::Create),
        1 => Just(Step::Current),
        2 => (0..8_usize).prop_map(Step::Read),
        1 => (0..8_usize).prop_map(Step::Destroy),
        3 => Just(Step::Tend),
        2 => (1..700_u64).prop_map(Step::Wait),
        1 => Just(Step::Restart),
        5 => (0..3_usize, vec(fault(), 1..8)).prop_map(|(server, faults)| Step::Faults(server, faults)),
        2 => (0..3_usize, down).prop_map(|(server, kind)| Step::Down(server, kind)),
        1 => vec(store, 1..4).prop_map(Step::StoreFaults),
    ]
}

/// What was promised to callers.
#[derive(Default)]
struct Promises {
    made: Vec<KeyId>,
    bytes: BTreeMap<KeyId, [u8; 32]>,
    ending: Vec<KeyId>,
}

impl Promises {
    fn made(&mut self, id: KeyId) {
        if !self.made.contains(&id) {
            self.made.push(id);
        }
    }
}

fn run(world: &mut World, promises: &mut Promises, step: Step) {
    let pick = |position: usize| promises.made.get(position % promises.made.len().max(1)).copied();
    match step {
        Step::Create => world.provider.create_key().into_iter().for_each(|id| promises.made(id)),
        Step::Current => world.provider.current_key().into_iter().for_each(|(id, _)| promises.made(id)),
        Step::Read(position) => {
            let Some(id) = pick(position) else { return };
            let Ok(key) = world.provider.key(id) else { return };
            let first = *promises.bytes.entry(id).or_insert(bytes(&key));
            assert_eq!(first, bytes(&key), "a key is the same at every reading");
        }
        Step::Destroy(position) => {
            let Some(id) = pick(position) else { return };
            let outcome = world.provider.destroy(id);
            if outcome.is_ok() || outcome.is_err_and(|error| !error.message.contains("is the current one")) {
                promises.ending.push(id);
            }
        }
        Step::Tend => drop(world.provider.tend()),
        Step::Wait(seconds) => world.clock.advance(seconds),
        Step::Restart => world.provider = world.another(Settings { copies: 1, ..Settings::default() }),
        Step::Faults(server, faults) => world.servers[server].fault(&faults),
        Step::Down(server, kind) => world.servers[server].set_down(kind),
        Step::StoreFaults(faults) => world.store.fault(&faults),
    }
}

/// In peace: everything made is everywhere, nothing else is anywhere, and every key is what it was.
fn check_peace(world: &World, promises: &Promises) {
    for id in &promises.ending {
        world.provider.destroy(*id).unwrap();
    }
    world.settle();
    let known: Vec<KeyId> = world.provider.list().unwrap().iter().map(|info| info.id).collect();
    let expected = world.servers[0].alive();
    assert_eq!(expected.keys().copied().collect::<Vec<_>>(), known, "no key is orphaned, and none is lost");
    for server in &world.servers {
        assert_eq!(server.alive(), expected, "all servers hold the same");
    }
    assert_eq!(world.store.keys("intent/"), Vec::<String>::new());
    for id in &promises.made {
        assert_eq!(known.contains(id), !promises.ending.contains(id), "{id}");
    }
    let fresh = world.another(Settings::default());
    for id in known {
        let read = bytes(&fresh.key(id).unwrap());
        assert!(promises.bytes.get(&id).is_none_or(|first| *first == read));
        assert_eq!(read, expected[&id]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_key_is_orphaned_and_none_is_lost(steps in vec(step(), 1..40), copies in 1..4_usize) {
        let mut world = World::new(3, Settings { copies, cache: CachePolicy::Keep });
        let mut promises = Promises::default();
        for step in steps {
            run(&mut world, &mut promises, step);
        }
        world.settle();
        check_peace(&world, &promises);
    }
}
