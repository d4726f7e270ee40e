//! Bytes to items, for bytes that nobody vouches for.
//!
//! One pass with a stack of its own, so that nesting costs no stack of the thread. A length is compared with what is
//! there before anything is allocated for it.

use zeroize::Zeroizing;

use super::item::{Item, Value};
use super::kind::ItemType;
use super::{HEADER, padding};
use crate::kmip::tag::Tag;

/// What a message may cost at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole message, its header included.
    pub bytes: usize,
    /// Structures that are open at once, the message itself included.
    pub depth: usize,
    /// Items of all kinds.
    pub items: usize,
}

impl Limits {
    /// What a client of a key manager needs, with room: the largest answers are lists of objects and certificates.
    pub const STANDARD: Self = Self { bytes: 1 << 20, depth: 24, items: 1 << 16 };
}

// An item has at least its header, so a message within the limit of bytes cannot reach an item count above this.
const _: () = assert!(Limits::STANDARD.items <= Limits::STANDARD.bytes / HEADER);

/// Why bytes are not a TTLV message. `at` counts bytes from the start of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TtlvError {
    /// Fewer bytes than the header of an item.
    #[error("it ends inside the header of an item, at byte {at}")]
    NoHeader {
        /// Where the item starts.
        at: usize,
    },
    /// A length reaches beyond the structure or the message that contains it.
    #[error("the item {tag} at byte {at} claims {length} bytes, and {available} are there")]
    TooLong {
        /// The item.
        tag: Tag,
        /// Where it starts.
        at: usize,
        /// What its length field says.
        length: usize,
        /// Bytes left in what contains it.
        available: usize,
    },
    /// A length that the type cannot have.
    #[error("the item {tag} at byte {at} is of type {kind:?} and {length} bytes long")]
    BadLength {
        /// The item.
        tag: Tag,
        /// Where it starts.
        at: usize,
        /// Its type.
        kind: ItemType,
        /// What its length field says.
        length: usize,
    },
    /// More bytes than the limit.
    #[error("it has {length} bytes, and {limit} are allowed")]
    TooManyBytes {
        /// The size of the message.
        length: usize,
        /// [`Limits::bytes`].
        limit: usize,
    },
    /// Nested deeper than the limit.
    #[error("it is nested deeper than {limit} at byte {at}")]
    TooDeep {
        /// Where the structure starts.
        at: usize,
        /// [`Limits::depth`].
        limit: usize,
    },
    /// More items than the limit.
    #[error("it has more than {limit} items")]
    TooManyItems {
        /// [`Limits::items`].
        limit: usize,
    },
    /// Bytes behind the message.
    #[error("{extra} bytes follow the message")]
    Trailing {
        /// How many.
        extra: usize,
    },
}

/// The size of the whole message that starts with this header, in bytes.
///
/// # Errors
/// When it is above the limit; nothing needs to be allocated to learn that.
pub fn message_length(header: [u8; HEADER], limits: &Limits) -> Result<usize, TtlvError> {
    let [_, _, _, _, length @ ..] = header;
    let length = HEADER.saturating_add(usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX));
    if length > limits.bytes {
        return Err(TtlvError::TooManyBytes { length, limit: limits.bytes });
    }
    Ok(length)
}

/// Decodes exactly one item that fills `bytes`.
///
/// # Errors
/// When lengths contradict each other or a limit is passed. Unknown tags, types and values are no error.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Item, TtlvError> {
    if bytes.len() > limits.bytes {
        return Err(TtlvError::TooManyBytes { length: bytes.len(), limit: limits.bytes });
    }
    Decoder { bytes, at: 0, items: 0, open: Vec::new(), limits }.run()
}

/// A structure whose items are still being read.
struct Open {
    tag: Tag,
    end: usize,
    items: Vec<Item>,
}

struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
    items: usize,
    open: Vec<Open>,
    limits: &'a Limits,
}

impl Decoder<'_> {
    fn run(mut self) -> Result<Item, TtlvError> {
        loop {
            let mut complete = self.next_item()?;
            while let Some(item) = complete {
                let Some(outer) = self.open.last_mut() else { return self.finish(item) };
                outer.items.push(item);
                complete = self.close_if_full();
            }
        }
    }

    /// Reads the item that starts here; `None` when it is a structure with items to come.
    fn next_item(&mut self) -> Result<Option<Item>, TtlvError> {
        let at = self.at;
        let (tag, code, length) = self.header()?;
        self.items += 1;
        if self.items > self.limits.items {
            return Err(TtlvError::TooManyItems { limit: self.limits.items });
        }
        match ItemType::from_code(code) {
            Some(ItemType::Structure) => self.open(tag, at, length),
            kind => self.primitive(tag, at, kind.ok_or(code), length).map(Some),
        }
    }

    /// Tag, type code and length, the length already compared with what is there.
    fn header(&mut self) -> Result<(Tag, u8, usize), TtlvError> {
        let at = self.at;
        let header = self.bytes.get(at..self.container_end()).and_then(|rest| rest.first_chunk::<HEADER>());
        let [a, b, c, code, length @ ..] = header.ok_or(TtlvError::NoHeader { at })?;
        let tag = Tag::from_bytes([*a, *b, *c]);
        self.at += HEADER;
        let (length, available) = (usize::try_from(u32::from_be_bytes(*length)), self.container_end() - self.at);
        match length {
            Ok(length) if length <= available => Ok((tag, *code, length)),
            length => Err(TtlvError::TooLong { tag, at, length: length.unwrap_or(usize::MAX), available }),
        }
    }

    fn container_end(&self) -> usize {
        self.open.last().map_or(self.bytes.len(), |outer| outer.end)
    }

    fn open(&mut self, tag: Tag, at: usize, length: usize) -> Result<Option<Item>, TtlvError> {
        if self.open.len() >= self.limits.depth {
            return Err(TtlvError::TooDeep { at, limit: self.limits.depth });
        }
        self.open.push(Open { tag, end: self.at + length, items: Vec::new() });
        Ok(self.close_if_full())
    }

    /// The innermost structure, once no further item fits into it: what is left of it can only be padding.
    fn close_if_full(&mut self) -> Option<Item> {
        let full = self.open.pop_if(|outer| self.at + HEADER > outer.end)?;
        self.at = full.end;
        Some(Item::structure(full.tag, full.items))
    }

    fn primitive(&mut self, tag: Tag, at: usize, kind: Result<ItemType, u8>, length: usize) -> Result<Item, TtlvError> {
        let bytes = &self.bytes[self.at..self.at + length];
        self.at = (self.at + length + padding(length)).min(self.container_end());
        let value = match kind {
            Ok(kind) => value(kind, bytes).ok_or(TtlvError::BadLength { tag, at, kind, length })?,
            Err(code) => Value::Unknown { code, bytes: Zeroizing::new(bytes.to_vec()) },
        };
        Ok(Item { tag, value })
    }

    fn finish(self, item: Item) -> Result<Item, TtlvError> {
        match self.bytes.len() - self.at {
            0 => Ok(item),
            extra => Err(TtlvError::Trailing { extra }),
        }
    }
}

/// A value that is not a structure; `None` when it cannot have this length.
fn value(kind: ItemType, bytes: &[u8]) -> Option<Value> {
    Some(match kind {
        ItemType::Structure => return None,
        ItemType::Integer => Value::Integer(i32::from_be_bytes(bytes.try_into().ok()?)),
        ItemType::LongInteger => Value::LongInteger(i64::from_be_bytes(bytes.try_into().ok()?)),
        ItemType::BigInteger => Value::BigInteger(Zeroizing::new(bytes.to_vec())),
        ItemType::Enumeration => Value::Enumeration(u32::from_be_bytes(bytes.try_into().ok()?)),
        ItemType::Boolean => Value::Boolean(u64::from_be_bytes(bytes.try_into().ok()?) != 0),
        ItemType::TextString => text(bytes),
        ItemType::ByteString => Value::Bytes(Zeroizing::new(bytes.to_vec())),
        ItemType::DateTime => Value::DateTime(i64::from_be_bytes(bytes.try_into().ok()?)),
        ItemType::Interval => Value::Interval(u32::from_be_bytes(bytes.try_into().ok()?)),
        ItemType::DateTimeExtended => Value::DateTimeExtended(i64::from_be_bytes(bytes.try_into().ok()?)),
    })
}

/// A text, or the bytes as they are when they are not UTF-8: a server's odd message must not hide its answer.
fn text(bytes: &[u8]) -> Value {
    match str::from_utf8(bytes) {
        Ok(text) => Value::Text(Zeroizing::new(text.to_owned())),
        Err(_) => Value::Unknown { code: ItemType::TextString.code(), bytes: Zeroizing::new(bytes.to_vec()) },
    }
}
