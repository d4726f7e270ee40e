//! Versions of the Element API.

use std::fmt;

/// A version such as 12.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Before the dot.
    pub major: u8,
    /// After the dot.
    pub minor: u8,
}

impl Version {
    /// The version that `GetAPI` gives as the current one: the first with all methods for rekeying.
    pub const CURRENT: Self = Self::new(12, 3);

    /// Every version that Element released from 7.0, the first that its SDKs speak, to [`Self::CURRENT`].
    pub const SUPPORTED: &[Self] = &[
        Self::new(7, 0),
        Self::new(7, 1),
        Self::new(7, 2),
        Self::new(7, 3),
        Self::new(7, 4),
        Self::new(8, 0),
        Self::new(8, 1),
        Self::new(8, 2),
        Self::new(8, 3),
        Self::new(8, 4),
        Self::new(8, 5),
        Self::new(8, 6),
        Self::new(8, 7),
        Self::new(9, 0),
        Self::new(9, 1),
        Self::new(9, 2),
        Self::new(9, 3),
        Self::new(9, 4),
        Self::new(9, 5),
        Self::new(9, 6),
        Self::new(10, 0),
        Self::new(10, 1),
        Self::new(10, 2),
        Self::new(10, 3),
        Self::new(10, 4),
        Self::new(10, 5),
        Self::new(10, 6),
        Self::new(10, 7),
        Self::new(11, 0),
        Self::new(11, 1),
        Self::new(11, 3),
        Self::new(11, 5),
        Self::new(11, 7),
        Self::new(11, 8),
        Self::new(12, 0),
        Self::new(12, 2),
        Self::CURRENT,
    ];

    /// A version.
    #[must_use]
    pub const fn new(major: u8, minor: u8) -> Self {
        Self { major, minor }
    }

    /// Reads the version in the path of a request; `None` unless it is one of [`Self::SUPPORTED`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::SUPPORTED.iter().copied().find(|version| version.to_string() == text)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_exactly_as_they_are_written() {
        assert_eq!(Version::parse("12.3"), Some(Version::CURRENT));
        assert_eq!(Version::parse("7.0"), Some(Version::new(7, 0)));
        for wrong in ["", "7", "07.0", "7.00", "6.0", "12.1", "12.4", "7.0.1", "12.3 "] {
            assert_eq!(Version::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn supported_versions_rise() {
        assert!(Version::SUPPORTED.is_sorted());
    }
}
