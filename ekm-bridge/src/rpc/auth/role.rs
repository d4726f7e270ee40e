//! What an account may do.

/// A role; the greater one may do all that the lesser may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Methods that begin with `Get` or `List`, and the metrics.
    ReadOnly,
    /// Everything.
    Administrator,
}

impl Role {
    /// The name, for records and people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::Administrator => "administrator",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::ReadOnly, Self::Administrator].into_iter().find(|role| role.as_str() == name)
    }
}
