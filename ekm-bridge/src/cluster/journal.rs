//! Where the control plane writes down what it did of its own accord.

use serde_json::Value;

use crate::time::UnixSeconds;

/// The audit log, as far as it is needed here.
pub trait Journal: Send + Sync {
    /// Writes an entry, durable when this returns. The head of the log after it, as `NUMBER:HASH`; `None` when it could not
    /// be written, which the log of the process tells.
    fn note(&self, at: UnixSeconds, what: &str, details: &Value) -> Option<String>;
}
