//! What an administrator may choose about a provider.

use super::cache::CachePolicy;

/// The choices, with their defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What becomes of fetched keys when no server answers.
    pub cache: CachePolicy,
    /// On how many servers a new key must lie before it is used; all of them, if there are fewer. With 2 the loss of one
    /// server loses no key; with 1 a new key can be made while all but one are away.
    pub copies: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { cache: CachePolicy::Keep, copies: 2 }
    }
}
