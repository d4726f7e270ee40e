//! Items for people: the structure of a message, with everything that may be secret left out.

use std::fmt;

use super::item::{Item, Value};
use crate::kmip::enums;
use crate::kmip::tag::Tag;

/// A text longer than this is cut.
const TEXT: usize = 120;

/// Tags whose texts and structures are secret as a whole.
const SECRET: [Tag; 8] = [
    Tag::PASSWORD,
    Tag::HASHED_PASSWORD,
    Tag::SERVER_HASHED_PASSWORD,
    Tag::ONE_TIME_PASSWORD,
    Tag::TICKET_VALUE,
    Tag::KEY_MATERIAL,
    Tag::DATA,
    Tag::SALT,
];

/// The display of [`Item::describe`].
pub struct Description<'a>(&'a Item);

impl Item {
    /// The tree of this item, one line each: tags, types, numbers and texts, but of byte strings, big integers, key
    /// material, passwords and tags that nobody has defined only the length.
    #[must_use]
    pub fn describe(&self) -> Description<'_> {
        Description(self)
    }
}

impl fmt::Display for Description<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(self.0, 0, f)
    }
}

/// The same as the display, so that a failed assertion shows structure and no secret.
impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        line(self, 0, f)
    }
}

/// Only the type: without its tag, nobody knows whether a value is secret.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Some(kind) => write!(f, "{kind:?} (not shown)"),
            None => write!(f, "type {:#04x} (not shown)", self.code()),
        }
    }
}

fn line(item: &Item, depth: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{:indent$}{}: ", "", item.tag, indent = 2 * depth)?;
    if SECRET.contains(&item.tag) {
        return writeln!(f, "(not shown)");
    }
    match &item.value {
        Value::Structure(items) => {
            writeln!(f, "{} items", items.len())?;
            items.iter().try_for_each(|inner| line(inner, depth + 1, f))
        }
        Value::Integer(number) => writeln!(f, "{number}"),
        Value::LongInteger(number) => writeln!(f, "{number}"),
        Value::Enumeration(number) => writeln!(f, "{}", enums::name_of(item.tag, *number)),
        Value::Boolean(value) => writeln!(f, "{value}"),
        Value::Text(text) => show_text(item.tag, text, f),
        Value::DateTime(seconds) => writeln!(f, "{seconds} s since 1970"),
        Value::DateTimeExtended(micros) => writeln!(f, "{micros} us since 1970"),
        Value::Interval(seconds) => writeln!(f, "{seconds} s"),
        Value::BigInteger(bytes) => writeln!(f, "integer of {} bytes (not shown)", bytes.len()),
        Value::Bytes(bytes) => writeln!(f, "{} bytes (not shown)", bytes.len()),
        Value::Unknown { code, bytes } => writeln!(f, "type {code:#04x}, {} bytes (not shown)", bytes.len()),
    }
}

/// A text under a tag without a name may be anything, a password too.
fn show_text(tag: Tag, text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if tag.name().is_none() {
        return writeln!(f, "text of {} bytes (not shown)", text.len());
    }
    let shown: String = text.chars().take(TEXT).collect();
    let rest = if shown.len() < text.len() { "..." } else { "" };
    writeln!(f, "{shown:?}{rest}")
}
