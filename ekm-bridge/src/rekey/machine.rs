//! One rekey.
//!
//! ```text
//!              KeyMade                         Moved                          Ended
//! CreateNewMasterKey ──▶ RewrapDataEncryptionKeys ──▶ DecommissionOldMasterKey ──▶ Done
//!   │ NoKey ▶ NoKey        ├ Cancel, while no header names the new key ▶ Cancelled, the old key in force again
//!   └ Cancel ▶ Cancelled   └ Cancel, while the new key is out of reach ─▲ the rest is left behind
//! ```
//! A rekey whose new key is out of reach and has wrapped something cannot be called off: some volumes need the new key by now
//! and some the old one. It ends where it is. The new key stays in force, the old one stays for whoever needs it, and
//! another rekey may begin.

use keywrap::keys::KeyId;

use crate::records::{Rekey, RekeyPhase};

/// How far a rekey is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Progress {
    /// The key that was in force when it began.
    pub old: KeyId,
    /// The new key, once it is in force.
    pub new: Option<KeyId>,
    /// The phase.
    pub phase: RekeyPhase,
    /// Whether it was called off before there was a key.
    pub is_cancelled: bool,
}

impl Progress {
    /// How far the rekey of this record is.
    #[must_use]
    pub fn of(rekey: &Rekey) -> Self {
        Self { old: rekey.old, new: rekey.new, phase: rekey.phase, is_cancelled: rekey.is_cancelled }
    }

    /// Whether `key` comes back into force when the rekey is called off, which it may be yet.
    #[must_use]
    pub fn may_restore(self, key: KeyId) -> bool {
        self.old == key && self.phase != RekeyPhase::DecommissionOldMasterKey
    }

    /// The record of the same rekey, so far on.
    #[must_use]
    pub fn recorded(self, rekey: &Rekey) -> Rekey {
        let Self { old, new, phase, is_cancelled } = self;
        Rekey { old, new, phase, is_cancelled, ..rekey.clone() }
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// There is a new key, and it was read back.
    KeyMade(KeyId),
    /// No key can be made, or it is certain that none was.
    NoKey,
    /// Every header was tried: each names the new key alone, or is left behind.
    Moved,
    /// The ledger has looked at the old key.
    Ended,
    /// An administrator calls it off.
    Cancel {
        /// Whether any header may name the new key.
        is_wrapped: bool,
        /// Whether the new key is out of reach, so that the rekey cannot go on.
        is_stuck: bool,
    },
}

/// What has to become durable, all of it in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where the rekey goes.
    pub next: Next,
    /// What becomes of master keys.
    pub keys: Vec<KeyChange>,
}

/// Where a rekey goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// On, like this.
    Goes(Progress),
    /// To its end.
    Ends(Ending),
}

/// How a rekey ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The new key is in force.
    Done,
    /// There was no new key; the old one stays in force.
    NoKey,
    /// It was called off; the old key is in force.
    Cancelled,
}

/// What becomes of a master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyChange {
    /// It comes into force.
    InForce(KeyId),
    /// It is to be decommissioned.
    Retired(KeyId),
    /// It was never used, and is to be decommissioned.
    Unused(KeyId),
    /// It comes into force once more, because the key that replaced it was never used.
    Restored(KeyId),
}

/// Why nothing changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Headers name the new key already.
    #[error("volumes are wrapped by the new master key already; let the rekey end, then rekey again")]
    TooLate,
    /// This cannot happen in the present phase.
    #[error("this does not belong into the phase {0:?} of a rekey")]
    OutOfTurn(RekeyPhase),
}

/// What follows.
///
/// # Errors
/// See [`Refused`]; nothing changes then.
pub fn step(at: Progress, input: Input) -> Result<Change, Refused> {
    use RekeyPhase::{CreateNewMasterKey, DecommissionOldMasterKey, RewrapDataEncryptionKeys};
    let goes = |next, keys| Ok(Change { next: Next::Goes(next), keys });
    let ends = |ending, keys| Ok(Change { next: Next::Ends(ending), keys });
    match (at.phase, input) {
        (CreateNewMasterKey, Input::KeyMade(key)) if at.is_cancelled => {
            ends(Ending::Cancelled, vec![KeyChange::Unused(key)])
        }
        (CreateNewMasterKey, Input::KeyMade(key)) => {
            let next = Progress { new: Some(key), phase: RewrapDataEncryptionKeys, ..at };
            goes(next, vec![KeyChange::InForce(key), KeyChange::Retired(at.old)])
        }
        (CreateNewMasterKey, Input::NoKey) => {
            ends(if at.is_cancelled { Ending::Cancelled } else { Ending::NoKey }, vec![])
        }
        (CreateNewMasterKey, Input::Cancel { .. }) => goes(Progress { is_cancelled: true, ..at }, vec![]),
        (RewrapDataEncryptionKeys, Input::Moved | Input::Cancel { is_wrapped: true, is_stuck: true }) => {
            goes(Progress { phase: DecommissionOldMasterKey, ..at }, vec![])
        }
        // Called off in the middle of the last pass.
        (DecommissionOldMasterKey, Input::Moved) => goes(at, vec![]),
        (RewrapDataEncryptionKeys, Input::Cancel { is_wrapped: false, .. }) => {
            let unused = at.new.map(KeyChange::Unused);
            ends(Ending::Cancelled, [KeyChange::Restored(at.old)].into_iter().chain(unused).collect())
        }
        (DecommissionOldMasterKey, Input::Ended) => ends(Ending::Done, vec![]),
        (_, Input::Cancel { .. }) => Err(Refused::TooLate),
        (phase, _) => Err(Refused::OutOfTurn(phase)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHASES: [RekeyPhase; 3] =
        [RekeyPhase::CreateNewMasterKey, RekeyPhase::RewrapDataEncryptionKeys, RekeyPhase::DecommissionOldMasterKey];

    #[test]
    fn every_input_in_every_phase_has_an_answer() {
        let (old, new) = (KeyId::random(), KeyId::random());
        let mut answers = Vec::new();
        for phase in PHASES {
            for is_cancelled in [false, true] {
                let key = (phase != RekeyPhase::CreateNewMasterKey).then_some(new);
                let at = Progress { old, new: key, phase, is_cancelled };
                for input in [
                    Input::KeyMade(new),
                    Input::NoKey,
                    Input::Moved,
                    Input::Ended,
                    Input::Cancel { is_wrapped: false, is_stuck: false },
                    Input::Cancel { is_wrapped: false, is_stuck: true },
                    Input::Cancel { is_wrapped: true, is_stuck: false },
                    Input::Cancel { is_wrapped: true, is_stuck: true },
                ] {
                    answers.push(step(at, input));
                }
            }
        }
        let (fine, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        // Three phases, called off or not: a key, none, four ways to cancel; moved, three ways; moved, ended.
        assert_eq!((fine.len(), refused.len()), (2 * (6 + 4 + 2), 48 - 24));
    }

    #[test]
    fn the_new_key_comes_into_force_in_the_step_that_retires_the_old_one() {
        let (old, new) = (KeyId::random(), KeyId::random());
        let at = Progress { old, new: None, phase: RekeyPhase::CreateNewMasterKey, is_cancelled: false };
        let change = step(at, Input::KeyMade(new)).unwrap();
        assert_eq!(change.keys, [KeyChange::InForce(new), KeyChange::Retired(old)]);
        let Next::Goes(at) = change.next else { panic!("it goes on") };
        assert_eq!((at.new, at.phase), (Some(new), RekeyPhase::RewrapDataEncryptionKeys));
    }

    #[test]
    fn a_cancelled_rekey_leaves_the_old_key_in_force_and_the_new_one_to_be_destroyed() {
        let (old, new) = (KeyId::random(), KeyId::random());
        let at = Progress { old, new: Some(new), phase: RekeyPhase::RewrapDataEncryptionKeys, is_cancelled: false };
        assert_eq!(step(at, Input::Cancel { is_wrapped: true, is_stuck: false }), Err(Refused::TooLate));
        let change = step(at, Input::Cancel { is_wrapped: false, is_stuck: false }).unwrap();
        let keys = vec![KeyChange::Restored(old), KeyChange::Unused(new)];
        assert_eq!(change, Change { next: Next::Ends(Ending::Cancelled), keys });

        let at = Progress { new: None, phase: RekeyPhase::CreateNewMasterKey, is_cancelled: true, ..at };
        let change = step(at, Input::KeyMade(new)).unwrap();
        assert_eq!(change, Change { next: Next::Ends(Ending::Cancelled), keys: vec![KeyChange::Unused(new)] });
    }

    #[test]
    fn a_rekey_that_is_stuck_after_it_has_wrapped_something_ends_where_it_is_and_changes_no_key() {
        let (old, new) = (KeyId::random(), KeyId::random());
        let at = Progress { old, new: Some(new), phase: RekeyPhase::RewrapDataEncryptionKeys, is_cancelled: false };
        let change = step(at, Input::Cancel { is_wrapped: true, is_stuck: true }).unwrap();
        let next = Progress { phase: RekeyPhase::DecommissionOldMasterKey, ..at };
        assert_eq!(change, Change { next: Next::Goes(next), keys: vec![] });
        assert_eq!(step(next, Input::Moved), Ok(change), "a pass that ends later changes nothing");
    }
}
