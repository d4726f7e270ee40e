//! Room for connections: so many in all, so many of one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many connections there are.
#[derive(Clone)]
pub(super) struct Room {
    all: Arc<Semaphore>,
    of: Arc<Mutex<HashMap<IpAddr, usize>>>,
    per_source: usize,
}

/// The place of one connection, given back on drop.
pub(super) struct Place {
    room: Room,
    source: IpAddr,
    _one_of_all: OwnedSemaphorePermit,
}

impl Room {
    pub(super) fn new(all: usize, per_source: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), of: Arc::default(), per_source }
    }

    /// Waits until there is room for one more; `None` never, as the semaphore is never closed.
    pub(super) async fn one(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.all).acquire_owned().await.ok()
    }

    /// The place of a connection from `source`; `None` when it has enough.
    pub(super) fn place(&self, source: IpAddr, one_of_all: OwnedSemaphorePermit) -> Option<Place> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let count = of.entry(source).or_default();
        if *count >= self.per_source {
            return None;
        }
        *count += 1;
        Some(Place { room: self.clone(), source, _one_of_all: one_of_all })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut of = self.room.of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = of.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                of.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_gets_its_share_and_gives_it_back() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let room = Room::new(4, 2);
        let one = || runtime.block_on(room.one()).unwrap();
        let (here, there) = ([127, 0, 0, 1].into(), [192, 0, 2, 1].into());
        let first = room.place(here, one()).unwrap();
        let _second = room.place(here, one()).unwrap();
        assert!(room.place(here, one()).is_none());
        assert!(room.place(there, one()).is_some());
        drop(first);
        assert!(room.place(here, one()).is_some());
        assert_eq!(room.all.available_permits(), 3);
        assert_eq!(room.of.lock().unwrap().len(), 1);
    }
}
