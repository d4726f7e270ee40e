//! Items to bytes.

use zeroize::Zeroizing;

use super::item::{Item, Value};
use super::{HEADER, padding};

/// The bytes of `item`, in a buffer of exactly that size, so that no stale copy of a key is left by a reallocation.
///
/// A value of 4 GiB and more has no encoding; nothing here makes one, and its length would be written as the largest.
#[must_use]
pub fn encode(item: &Item) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(encoded_length(item)));
    write(item, &mut out);
    out
}

/// Bytes of the whole item, with header and padding.
fn encoded_length(item: &Item) -> usize {
    let length = value_length(&item.value);
    HEADER + length + padding(length)
}

/// What the length field says.
fn value_length(value: &Value) -> usize {
    match value {
        Value::Structure(items) => items.iter().map(encoded_length).sum(),
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) | Value::Unknown { bytes, .. } => bytes.len(),
        Value::BigInteger(bytes) => bytes.len() + padding(bytes.len()),
        Value::Integer(_) | Value::Enumeration(_) | Value::Interval(_) => 4,
        Value::LongInteger(_) | Value::Boolean(_) | Value::DateTime(_) | Value::DateTimeExtended(_) => 8,
    }
}

fn write(item: &Item, out: &mut Vec<u8>) {
    let length = value_length(&item.value);
    out.extend_from_slice(&item.tag.to_bytes());
    out.push(item.value.code());
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    write_value(&item.value, out);
    out.extend_from_slice(&[0; 8][..padding(length)]);
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Structure(items) => items.iter().for_each(|item| write(item, out)),
        Value::Integer(number) => out.extend_from_slice(&number.to_be_bytes()),
        Value::Enumeration(number) | Value::Interval(number) => out.extend_from_slice(&number.to_be_bytes()),
        Value::LongInteger(number) | Value::DateTime(number) | Value::DateTimeExtended(number) => {
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::Boolean(value) => out.extend_from_slice(&u64::from(*value).to_be_bytes()),
        Value::Text(text) => out.extend_from_slice(text.as_bytes()),
        Value::Bytes(bytes) | Value::Unknown { bytes, .. } => out.extend_from_slice(bytes),
        Value::BigInteger(bytes) => write_big_integer(bytes, out),
    }
}

/// A big integer is padded in front, with its sign, and the padding counts as part of it (section 9.1.1.4).
fn write_big_integer(bytes: &[u8], out: &mut Vec<u8>) {
    let sign = if bytes.first().is_some_and(|first| first & 0x80 != 0) { 0xFF } else { 0 };
    out.extend_from_slice(&[sign; 8][..padding(bytes.len())]);
    out.extend_from_slice(bytes);
}
