//! Master keys that were fetched, kept in memory so that a key server that is away for a while stops nothing.
//!
//! Keys lie in [`keywrap::secret::Secret`]s, which are wiped when they go; that they are not swapped out and not dumped is
//! the process's business (`docs/hardening.md`), since locking memory needs unsafe code, which this crate has none of.

use std::collections::BTreeMap;
use std::time::Duration;

use keywrap::keys::{KeyId, MasterKey};
use keywrap::secret::Secret;

/// What becomes of fetched keys when no key server answers any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CachePolicy {
    /// They stay until the process ends.
    #[default]
    Keep,
    /// They are wiped when no server has answered for this long: who takes the key servers away locks the volumes that
    /// are opened from then on. A server that refuses the log-in counts as one that does not answer.
    LockAfter(Duration),
}

/// The keys, and when a server last answered.
pub(super) struct Cache {
    policy: CachePolicy,
    keys: BTreeMap<KeyId, MasterKey>,
    last_answer: Duration,
}

impl Cache {
    /// Empty, at time `now`.
    pub(super) fn new(policy: CachePolicy, now: Duration) -> Self {
        Self { policy, keys: BTreeMap::new(), last_answer: now }
    }

    /// Another policy, from now on.
    pub(super) fn set_policy(&mut self, policy: CachePolicy) {
        self.policy = policy;
    }

    /// A server answered.
    pub(super) fn answered(&mut self, now: Duration) {
        self.last_answer = self.last_answer.max(now);
    }

    /// Wipes everything if the time is over; whether anything was wiped.
    pub(super) fn expire(&mut self, now: Duration) -> bool {
        let CachePolicy::LockAfter(grace) = self.policy else { return false };
        let is_over = now.saturating_sub(self.last_answer) > grace && !self.keys.is_empty();
        if is_over {
            self.keys.clear();
        }
        is_over
    }

    /// A copy of a key. The caller has just had the cache [`Self::expire`].
    pub(super) fn get(&self, id: KeyId) -> Option<MasterKey> {
        self.keys.get(&id).map(copy)
    }

    /// Keeps a copy of a key.
    pub(super) fn put(&mut self, id: KeyId, key: &MasterKey) {
        self.keys.insert(id, copy(key));
    }

    /// Wipes one key.
    pub(super) fn forget(&mut self, id: KeyId) {
        self.keys.remove(&id);
    }
}

/// A second copy of a key, for a caller that keeps its own.
pub(super) fn copy(key: &MasterKey) -> MasterKey {
    MasterKey(Secret::filled(|bytes| bytes.copy_from_slice(key.0.expose_secret())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(100);

    fn filled(policy: CachePolicy) -> (Cache, KeyId) {
        let (mut cache, id) = (Cache::new(policy, Duration::ZERO), KeyId::random());
        cache.put(id, &MasterKey(Secret::copy_from(&[7; 32]).unwrap()));
        (cache, id)
    }

    #[test]
    fn kept_keys_stay_for_ever() {
        let (mut cache, id) = filled(CachePolicy::Keep);
        assert!(!cache.expire(Duration::from_secs(u32::MAX.into())));
        assert_eq!(cache.get(id).unwrap().0.expose_secret(), &[7; 32]);
    }

    #[test]
    fn the_grace_period_runs_from_the_last_answer_and_then_every_key_goes() {
        let (mut cache, id) = filled(CachePolicy::LockAfter(GRACE));
        cache.answered(Duration::from_secs(50));
        assert!(!cache.expire(Duration::from_secs(150)));
        cache.answered(Duration::from_secs(20));
        assert!(!cache.expire(Duration::from_secs(150)), "an older answer takes nothing away");
        assert!(cache.get(id).is_some());
        assert!(cache.expire(Duration::from_secs(151)));
        assert!(cache.get(id).is_none());
        assert!(!cache.expire(Duration::from_secs(152)), "there is nothing more to wipe");
    }
}
