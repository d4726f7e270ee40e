//! TTLV: Tag, Type, Length, Value, the binary encoding of KMIP (KMIP 1.x, section 9.1).
//!
//! ```text
//!  3 bytes   1 byte   4 bytes   length bytes       0 to 7 bytes
//! +---------+--------+---------+------------------+---------+
//! | tag     | type   | length  | value            | padding |   everything most significant byte first
//! +---------+--------+---------+------------------+---------+
//! ```
//! What is written follows the specification to the byte. What is read may differ where the meaning stays clear:
//! padding of any content, none behind the last item, tags and types that nobody has defined yet.

mod decode;
mod describe;
mod encode;
mod item;
mod kind;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;

pub use decode::{Limits, TtlvError, decode, message_length};
pub use encode::encode;
pub use item::{Item, Value};
pub use kind::ItemType;

/// Bytes of tag, type and length in front of every value.
pub const HEADER: usize = 8;

/// The bytes that follow a value of `length` bytes, so that the next item starts at a multiple of eight.
const fn padding(length: usize) -> usize {
    (8 - length % 8) % 8
}
