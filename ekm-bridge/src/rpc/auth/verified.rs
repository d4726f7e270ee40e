//! Credentials that were right a moment ago, so that not every call costs an Argon2 run.
//!
//! What is kept is a keyed hash (HMAC-SHA-256 under a key that lives as long as this process) over user, stored hash and
//! password. Nothing can be learnt from it without the key, and a changed password no longer matches.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use keywrap::secret::Secret;
use sha2::Sha256;

use super::{Credentials, PasswordHash};

/// How long after the full check credentials are believed.
const LIFETIME: Duration = Duration::from_secs(300);
/// Entries at most; clients are few.
const MAX_ENTRIES: usize = 64;

/// A keyed hash of credentials.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::rpc) struct Mark([u8; 32]);

/// The credentials that were right.
pub(in crate::rpc) struct Verified {
    /// As long as a block of SHA-256, which is what HMAC takes as it is.
    key: Secret<64>,
    until: HashMap<Mark, Instant>,
}

impl Verified {
    /// None yet; `None` when the operating system gives no randomness.
    pub(in crate::rpc) fn new() -> Option<Self> {
        Some(Self { key: Secret::random().ok()?, until: HashMap::new() })
    }

    /// The mark of `credentials` that are to match `hash`.
    pub(in crate::rpc) fn mark(&self, credentials: &Credentials, hash: &PasswordHash) -> Mark {
        let mut mac = Hmac::<Sha256>::new(self.key.expose_secret().into());
        for part in [&credentials.user, &hash.to_phc()] {
            mac.update(part.as_bytes());
            // Neither part holds this byte, so it separates them.
            mac.update(&[0xff]);
        }
        mac.update(credentials.password.expose_secret().as_bytes());
        Mark(mac.finalize().into_bytes().into())
    }

    /// Whether they were right within the last five minutes.
    pub(in crate::rpc) fn contains(&self, mark: Mark, now: Instant) -> bool {
        self.until.get(&mark).is_some_and(|until| *until > now)
    }

    /// Notes that they are right. A full table is emptied: that costs a few Argon2 runs.
    pub(in crate::rpc) fn insert(&mut self, mark: Mark, now: Instant) {
        self.until.retain(|_, until| *until > now);
        if self.until.len() >= MAX_ENTRIES {
            self.until.clear();
        }
        self.until.insert(mark, now + LIFETIME);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::types::cluster::Password;

    fn credentials(user: &str, password: &str) -> Credentials {
        Credentials { user: user.into(), password: Password::new(password.into()) }
    }

    #[test]
    fn only_the_same_credentials_match_and_only_for_a_while() {
        let (mut verified, now) = (Verified::new().unwrap(), Instant::now());
        let [hash, other] = ["right", "other"].map(|text| PasswordHash::of(&Password::new(text.into())).unwrap());
        let mark = verified.mark(&credentials("admin", "right"), &hash);
        verified.insert(mark, now);
        assert!(verified.contains(mark, now));
        assert!(!verified.contains(mark, now + LIFETIME));
        let others = [("admin", "wrong", &hash), ("admi", "nright", &hash), ("admin", "right", &other)];
        for (user, password, hash) in others {
            assert!(!verified.contains(verified.mark(&credentials(user, password), hash), now), "{user} {password}");
        }
    }

    #[test]
    fn the_table_stays_small() {
        let (mut verified, now) = (Verified::new().unwrap(), Instant::now());
        for n in 0..=255 {
            verified.insert(Mark([n; 32]), now);
            assert!(verified.until.len() <= MAX_ENTRIES);
            assert!(verified.contains(Mark([n; 32]), now));
        }
    }
}
