//! What a transaction is, and its limits. They are etcd's defaults or below, so that a cluster store accepts whatever
//! the embedded one does.

use std::collections::BTreeMap;

use super::Revision;

/// Longest key in bytes.
pub const MAX_KEY_LEN: usize = 512;

/// Longest value in bytes.
pub const MAX_VALUE_LEN: usize = 64 * 1024;

/// Most keys that one transaction changes or compares (etcd `--max-txn-ops`, 128).
pub const MAX_CHANGES: usize = 128;

/// Most bytes of keys and values in one transaction (below etcd `--max-request-bytes`, 1.5 MiB).
pub const MAX_TRANSACTION_LEN: usize = 1024 * 1024;

const _: () = assert!(MAX_KEY_LEN + MAX_VALUE_LEN <= MAX_TRANSACTION_LEN);

/// What happens to one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The key gets this value.
    Put(Vec<u8>),
    /// The key ceases to exist; nothing happens if it did not.
    Delete,
}

/// A limit that a transaction exceeds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// A key is empty or too long.
    #[error("a key of {0} bytes is outside 1..={MAX_KEY_LEN}")]
    Key(usize),
    /// A value is too long.
    #[error("the value of {key} has {len} bytes, more than {MAX_VALUE_LEN}")]
    Value {
        /// Its key.
        key: String,
        /// Its length in bytes.
        len: usize,
    },
    /// Too many keys.
    #[error("a transaction over {0} keys is larger than {MAX_CHANGES}")]
    Changes(usize),
    /// Too many bytes in all.
    #[error("a transaction of {0} bytes is larger than {MAX_TRANSACTION_LEN}")]
    Total(usize),
}

/// Expectations and changes that happen together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    expected: BTreeMap<String, Revision>,
    changes: BTreeMap<String, Change>,
}

impl Transaction {
    /// An empty transaction.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Insists that `key` was last changed at `revision` ([`Revision::ABSENT`]: that it does not exist).
    #[must_use]
    pub fn expect(mut self, key: impl Into<String>, revision: Revision) -> Self {
        self.expected.insert(key.into(), revision);
        self
    }

    /// Gives `key` a value.
    #[must_use]
    pub fn put(mut self, key: impl Into<String>, value: Vec<u8>) -> Self {
        self.changes.insert(key.into(), Change::Put(value));
        self
    }

    /// Removes `key`.
    #[must_use]
    pub fn delete(mut self, key: impl Into<String>) -> Self {
        self.changes.insert(key.into(), Change::Delete);
        self
    }

    /// The expectations, by key.
    #[must_use]
    pub fn expected(&self) -> &BTreeMap<String, Revision> {
        &self.expected
    }

    /// The changes, by key.
    #[must_use]
    pub fn changes(&self) -> &BTreeMap<String, Change> {
        &self.changes
    }

    /// Checks the limits of this module; every store calls it before anything else.
    ///
    /// # Errors
    /// The first limit that is exceeded.
    pub fn check_limits(&self) -> Result<(), Limit> {
        let count = self.expected.len().max(self.changes.len());
        if count > MAX_CHANGES {
            return Err(Limit::Changes(count));
        }
        if let Some(key) =
            self.expected.keys().chain(self.changes.keys()).find(|key| !(1..=MAX_KEY_LEN).contains(&key.len()))
        {
            return Err(Limit::Key(key.len()));
        }
        let mut total = 0;
        for (key, change) in &self.changes {
            let len = if let Change::Put(value) = change { value.len() } else { 0 };
            if len > MAX_VALUE_LEN {
                return Err(Limit::Value { key: key.clone(), len });
            }
            total += key.len() + len;
        }
        if total > MAX_TRANSACTION_LEN { Err(Limit::Total(total)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_allowed_and_the_next_size_is_not() {
        let put = |key: usize, value: usize| Transaction::new().put("k".repeat(key), vec![0; value]).check_limits();
        assert_eq!(put(MAX_KEY_LEN, MAX_VALUE_LEN), Ok(()));
        assert_eq!(put(MAX_KEY_LEN + 1, 0), Err(Limit::Key(MAX_KEY_LEN + 1)));
        assert_eq!(put(0, 0), Err(Limit::Key(0)));
        assert!(matches!(put(1, MAX_VALUE_LEN + 1), Err(Limit::Value { .. })));
        let many = |count: usize, len: usize| {
            (0..count).fold(Transaction::new(), |all, n| all.put(format!("{n:03}"), vec![0; len])).check_limits()
        };
        assert_eq!(many(MAX_CHANGES, 1), Ok(()));
        assert_eq!(many(MAX_CHANGES + 1, 1), Err(Limit::Changes(MAX_CHANGES + 1)));
        assert!(matches!(many(17, MAX_VALUE_LEN), Err(Limit::Total(_))));
    }
}
