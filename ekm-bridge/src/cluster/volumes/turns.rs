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

/// The right to work at one volume. Nobody takes two, so nobody waits in a circle.
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
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        lock(&self.turns.busy).remove(&self.uuid);
        self.turns.freed.notify_all();
    }
}
