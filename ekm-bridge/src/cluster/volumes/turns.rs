//! Whose turn it is at a volume.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, PoisonError};

use uuid::Uuid;

use crate::cluster::control::lock;

/// The volumes at which somebody works.
#[derive(Default)]
pub(in crate::cluster) struct Turns {
    busy: Mutex<BTreeSet<Uuid>>,
    freed: Condvar,
}

/// The right to work at one volume. Nobody who has one waits for another, so nobody waits in a circle;
/// but who has a volume's may wait for that of its backups, whose holders wait for nobody.
pub(in crate::cluster) struct Turn<'a> {
    turns: &'a Turns,
    uuid: Uuid,
}

impl Turns {
    /// Waits until nobody works at the volume.
    pub(in crate::cluster) fn take(&self, uuid: Uuid) -> Turn<'_> {
        let mut busy = lock(&self.busy);
        while !busy.insert(uuid) {
            busy = self.freed.wait(busy).unwrap_or_else(PoisonError::into_inner);
        }
        Turn { turns: self, uuid }
    }

    /// The same without waiting; `None` when somebody works there. Whoever takes several takes them like this.
    pub(in crate::cluster) fn try_take(&self, uuid: Uuid) -> Option<Turn<'_>> {
        let is_free = lock(&self.busy).insert(uuid);
        // Made only then: a turn that goes frees the volume.
        is_free.then(|| Turn { turns: self, uuid })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        lock(&self.turns.busy).remove(&self.uuid);
        self.turns.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_wait_gets_a_turn_only_when_nobody_has_it_and_takes_it_from_nobody() {
        let (turns, uuid) = (Turns::default(), Uuid::new_v4());
        let turn = turns.take(uuid);
        assert!(turns.try_take(uuid).is_none() && turns.try_take(uuid).is_none());
        assert!(turns.try_take(Uuid::new_v4()).is_some());
        drop(turn);
        assert!(turns.try_take(uuid).is_some());
    }
}
