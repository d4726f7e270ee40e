//! Ids of records, and how they are written in keys: so that the order of bytes is the order of ids.

use keywrap::keys::KeyId;
use uuid::Uuid;

/// Digits of the largest `u64`.
const DIGITS: usize = 20;

/// What tells the records of one kind apart.
pub trait RecordId: Copy + Eq + Ord + std::fmt::Display {
    /// The id as the last part of a key: without `/`.
    fn to_key(self) -> String;

    /// The id in such a part.
    fn from_key(text: &str) -> Option<Self>;
}

/// An id that is a number which the store counts, from 1.
pub trait CountedId: RecordId {
    /// The id with this number.
    fn from_number(number: u64) -> Self;

    /// Its number.
    fn number(self) -> u64;
}

pub(super) fn number_to_key(number: u64) -> String {
    format!("{number:0DIGITS$}")
}

pub(super) fn number_from_key(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| number_to_key(*number) == text)
}

/// Makes a type for counted ids.
macro_rules! counted_id {
    ($(#[$doc:meta])* $vis:vis $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        $vis struct $name($vis u64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl $crate::records::id::RecordId for $name {
            fn to_key(self) -> String {
                $crate::records::id::number_to_key(self.0)
            }

            fn from_key(text: &str) -> Option<Self> {
                $crate::records::id::number_from_key(text).map(Self)
            }
        }

        impl $crate::records::id::CountedId for $name {
            fn from_number(number: u64) -> Self {
                Self(number)
            }

            fn number(self) -> u64 {
                self.0
            }
        }
    };
}
pub(super) use counted_id;

impl RecordId for KeyId {
    fn to_key(self) -> String {
        self.0.to_string()
    }

    fn from_key(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().filter(|uuid| uuid.to_string() == text).map(Self)
    }
}

impl RecordId for Uuid {
    fn to_key(self) -> String {
        self.to_string()
    }

    fn from_key(text: &str) -> Option<Self> {
        Self::try_parse(text).ok().filter(|uuid| uuid.to_string() == text)
    }
}

/// The id of a kind of which there is one record at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Only;

impl std::fmt::Display for Only {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the only one")
    }
}

impl RecordId for Only {
    fn to_key(self) -> String {
        "only".into()
    }

    fn from_key(text: &str) -> Option<Self> {
        (text == "only").then_some(Self)
    }
}
