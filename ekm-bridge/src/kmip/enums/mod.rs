//! Enumerations: numbers whose meaning depends on the tag they stand under.
//!
//! Every one is open: a number that the specification does not know is kept and shown as a number.

mod algorithms;
mod objects;
mod protocol;

pub use algorithms::*;
pub use objects::*;
pub use protocol::*;

use super::tag::Tag;

/// What a client may do with a key, as bits of an integer (KMIP 1.x, section 9.1.3.3.1).
pub mod usage {
    /// The key encrypts.
    pub const ENCRYPT: i32 = 0x04;
    /// The key decrypts.
    pub const DECRYPT: i32 = 0x08;
    /// The key wraps other keys.
    pub const WRAP_KEY: i32 = 0x10;
    /// The key unwraps other keys.
    pub const UNWRAP_KEY: i32 = 0x20;
}

/// An enumeration as it came: its name if it has one, else its number.
#[must_use]
pub fn name_of(tag: Tag, number: u32) -> String {
    let tables = [protocol::TABLES, objects::TABLES, algorithms::TABLES];
    let table = tables.into_iter().flatten().find(|table| table.0 == tag);
    match table.and_then(|table| (table.1)(number)) {
        Some(name) => name.into(),
        None => format!("{number:#x}"),
    }
}

/// Open enumerations: a number with constants and names.
macro_rules! enumerations {
    ($($(#[$doc:meta])+ $name:ident: $tag:ident { $($constant:ident = $number:literal, $text:literal;)+ })+) => {
        $(
            $(#[$doc])+
            #[derive(Clone, Copy, PartialEq, Eq, Hash)]
            pub struct $name(pub u32);

            impl $name {
                $(#[doc = $text] pub const $constant: Self = Self($number);)+

                /// The name in the specification.
                #[must_use]
                pub fn name(self) -> Option<&'static str> {
                    match self.0 {
                        $($number => Some($text),)+
                        _ => None,
                    }
                }
            }

            impl std::fmt::Display for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    match self.name() {
                        Some(name) => f.write_str(name),
                        None => write!(f, "{:#x}", self.0),
                    }
                }
            }

            impl std::fmt::Debug for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    std::fmt::Display::fmt(self, f)
                }
            }

            impl From<$name> for u32 {
                fn from(value: $name) -> u32 {
                    value.0
                }
            }

            impl From<u32> for $name {
                fn from(number: u32) -> Self {
                    Self(number)
                }
            }
        )+

        /// The tag of every enumeration here beside its names.
        pub(super) const TABLES: &[(crate::kmip::tag::Tag, fn(u32) -> Option<&'static str>)] =
            &[$((crate::kmip::tag::Tag::$tag, |number| $name(number).name())),+];
    };
}
use enumerations;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers_have_names_and_others_show_themselves() {
        assert_eq!(Operation::RE_KEY.to_string(), "Re-key");
        assert_eq!(Operation(0x8000_0001).to_string(), "0x80000001");
        assert_eq!(name_of(Tag::STATE, 2), "Active");
        assert_eq!(name_of(Tag::STATE, 99), "0x63");
        assert_eq!(name_of(Tag::ITERATION_COUNT, 1), "0x1");
    }
}
