//! Random lives of a machine with three disks: they break, are unplugged, join and leave, and the power fails. Whatever
//! opens must hold what was acknowledged, and of a transaction that ended in an error all or nothing.

use proptest::prelude::*;

use super::sim::{Contents, Hardware, Machine, contents};
use super::start::StartError;
use super::{RecoveryError, ReplicatedStore};
use crate::store::embedded::sim::Survive;
use crate::store::{Snapshot, Store, Transaction};

const ENDLESS: usize = usize::MAX;
const DISKS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Commit { key: u8, value: u8 },
    Break { disk: usize, after: usize },
    FailPower { after: usize },
    Restart { coin: u64, names: bool, unplugged: Option<usize> },
    Add { disk: usize },
    Remove { disk: usize },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..4_u8, any::<u8>()).prop_map(|(key, value)| Step::Commit { key, value }),
        1 => (0..DISKS, 0..20_usize).prop_map(|(disk, after)| Step::Break { disk, after }),
        1 => (0..60_usize).prop_map(|after| Step::FailPower { after }),
        3 => (any::<u64>(), any::<bool>(), proptest::option::of(0..DISKS))
            .prop_map(|(coin, names, unplugged)| Step::Restart { coin, names, unplugged }),
        2 => (0..DISKS).prop_map(|disk| Step::Add { disk }),
        1 => (0..DISKS).prop_map(|disk| Step::Remove { disk }),
    ]
}

/// The machine, the store while it is open, and what it may hold.
struct World {
    machine: Machine,
    store: Option<ReplicatedStore>,
    /// The last entry is what it holds if every transaction in doubt happened.
    possible: Vec<Contents>,
    split: bool,
}

impl World {
    fn new() -> Self {
        let machine = Hardware::new(DISKS).switch_on(ENDLESS, &[0, 1, 2]);
        let store = Some(machine.create(&Snapshot::default()).unwrap());
        Self { machine, store, possible: vec![Contents::new()], split: false }
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Commit { key, value } => self.commit(*key, *value),
            Step::Break { disk, after } => self.machine.own[*disk].limit(*after),
            Step::FailPower { after } => self.machine.power.limit(*after),
            Step::Restart { coin, names, unplugged } => self.restart(Survive::Coin(*coin), *names, *unplugged),
            Step::Add { disk } => {
                if let Some(store) = &self.store {
                    drop(self.machine.add(store, *disk));
                }
            }
            Step::Remove { disk } => {
                if let Some(store) = &self.store {
                    drop(store.remove_drive(&format!("disk {disk}")));
                }
            }
        }
    }

    fn commit(&mut self, key: u8, value: u8) {
        let Some(store) = &self.store else { return };
        let outcome = store.commit(&Transaction::new().put(format!("{key}"), vec![value]));
        let with = |mut contents: Contents| {
            contents.insert(format!("{key}"), vec![value]);
            contents
        };
        let happened: Vec<Contents> = self.possible.iter().cloned().map(with).collect();
        if outcome.is_ok() {
            self.possible = happened;
        } else {
            // Only a failure of the machine or of every drive is an error: nothing can be done before a restart.
            self.possible.extend(happened);
            self.store = None;
        }
    }

    fn restart(&mut self, survive: Survive, names: bool, unplugged: Option<usize>) {
        let hardware = self.machine.crash(survive, names);
        self.store = None;
        let plugged: Vec<usize> = (0..DISKS).filter(|disk| Some(*disk) != unplugged).collect();
        self.machine = hardware.switch_on(ENDLESS, &plugged);
        match self.machine.open() {
            Ok(store) => {
                let found = contents(&store);
                assert!(self.possible.contains(&found), "{found:?} is none of {:?}", self.possible);
                self.possible = vec![found];
                self.store = Some(store);
            }
            Err(StartError::Recovery(RecoveryError::Split { .. })) => self.split = true,
            Err(error) => assert!(unplugged.is_some(), "with all disks: {error}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_opens_holds_what_was_acknowledged(steps in proptest::collection::vec(step(), 1..24)) {
        let mut world = World::new();
        for step in &steps {
            world.apply(step);
            if world.split {
                // Two histories, told apart and refused: nothing more can happen here.
                return Ok(());
            }
        }
        world.restart(Survive::Nothing, false, None);
    }
}
