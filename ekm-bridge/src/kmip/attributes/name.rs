//! The names of attributes.

use std::fmt;

use crate::kmip::tag::Tag;

/// The vendor of attributes that clients make (KMIP 2.0, Vendor Attributes); in 1.x the prefix `x-`.
const CLIENT: &str = "x";

/// The vendor of attributes that servers make; in 1.x the prefix `y-`.
const SERVER: &str = "y";

/// Which attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AttributeName {
    /// One of the specification. In 1.x its name is that of the tag.
    Standard(Tag),
    /// One that a client, a server or a vendor made up.
    Vendor {
        /// `x` for clients, `y` for servers; empty for a 1.x name that the specification does not know.
        vendor: String,
        /// The name, without the prefix that 1.x puts in front.
        name: String,
    },
}

impl AttributeName {
    /// A custom attribute of ours; `name` with or without the prefix `x-`.
    #[must_use]
    pub fn custom(name: &str) -> Self {
        Self::vendor(CLIENT, name)
    }

    /// The attribute `name` of `vendor`. A server that repeats the prefix of 1.x in a 2.x message is understood.
    #[must_use]
    pub fn vendor(vendor: &str, name: &str) -> Self {
        let prefix = [vendor, "-"].concat();
        let bare = if vendor == CLIENT || vendor == SERVER { name.strip_prefix(&prefix) } else { None };
        Self::Vendor { vendor: vendor.into(), name: bare.unwrap_or(name).into() }
    }

    /// The attribute that 1.x calls `text`.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let made = [CLIENT, SERVER]
            .into_iter()
            .find(|vendor| text.strip_prefix(vendor).is_some_and(|rest| rest.starts_with('-')));
        match (made, Tag::named(text)) {
            (Some(vendor), _) => Self::vendor(vendor, text),
            (None, Some(tag)) => Self::Standard(tag),
            (None, None) => Self::vendor("", text),
        }
    }
}

/// The name in 1.x.
impl fmt::Display for AttributeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard(tag) => write!(f, "{tag}"),
            Self::Vendor { vendor, name } if vendor.is_empty() => f.write_str(name),
            Self::Vendor { vendor, name } => write!(f, "{vendor}-{name}"),
        }
    }
}
