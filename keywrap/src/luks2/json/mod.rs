//! The JSON metadata as typed values (LUKS2 spec, section 3).
//!
//! Reading turns text into [`Metadata`] that obeys every rule of `validate`, or names the field and rule that failed.
//! Objects and members that this program does not know are kept in the `rest` beside the typed fields.

mod config;
mod digest;
mod error;
mod keyslot;
mod object;
mod segment;
mod token;
mod validate;

use std::collections::BTreeMap;

pub use config::Config;
pub use digest::{Digest, DigestKind, Pbkdf2Digest};
pub use error::{BadMetadata, Problem};
pub use keyslot::{Af, Area, Kdf, KdfKind, Keyslot, KeyslotKind, Luks2Keyslot};
pub use object::{Object, RawJson};
pub use segment::{CryptSegment, Segment, SegmentKind, SegmentSize};
pub use token::Token;

use super::binary::HeaderSize;
use object::{Fields, decimal};
pub use validate::{AREA_ALIGN, MAX_KEYSLOTS_SIZE};

/// How many objects and arrays may lie inside one another: json-c's default, which is cryptsetup's limit too.
pub const MAX_DEPTH: usize = 32;
/// Keyslots and tokens are numbered from 0 to one less than this (cryptsetup `LUKS2_KEYSLOTS_MAX`).
pub const MAX_KEYSLOTS: u32 = 32;
/// Tokens are numbered from 0 to one less than this (cryptsetup `LUKS2_TOKENS_MAX`).
pub const MAX_TOKENS: u32 = 32;
/// Segments are numbered from 0 to one less than this (cryptsetup `LUKS2_SEGMENT_MAX`).
pub const MAX_SEGMENTS: u32 = 32;
/// Digests are numbered from 0 to one less than this (cryptsetup `LUKS2_DIGEST_MAX`).
pub const MAX_DIGESTS: u32 = 8;

/// The whole document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Where the volume key is stored, wrapped.
    pub keyslots: BTreeMap<u32, Keyslot>,
    /// How a keyslot may be opened without a person.
    pub tokens: BTreeMap<u32, Token>,
    /// What the data device holds.
    pub segments: BTreeMap<u32, Segment>,
    /// How a candidate volume key is recognised.
    pub digests: BTreeMap<u32, Digest>,
    /// Sizes, flags and requirements.
    pub config: Config,
    /// Members that the specification does not have.
    pub rest: Object,
}

impl Metadata {
    /// Reads the JSON area of a header copy of `size`.
    ///
    /// # Errors
    /// The first violation found, with the field's path.
    pub fn parse(area: &[u8], size: HeaderSize) -> Result<Self, BadMetadata> {
        let text = area_text(area)?;
        check_depth(text)?;
        let mut fields = Fields::parse(String::new(), text)?;
        let metadata = Self {
            keyslots: section(&mut fields, "keyslots", MAX_KEYSLOTS, Keyslot::read)?,
            tokens: section(&mut fields, "tokens", MAX_TOKENS, Token::read)?,
            segments: section(&mut fields, "segments", MAX_SEGMENTS, Segment::read)?,
            digests: section(&mut fields, "digests", MAX_DIGESTS, Digest::read)?,
            config: Config::read(fields.object("config")?)?,
            rest: fields.rest(),
        };
        validate::validate(&metadata, size)?;
        Ok(metadata)
    }

    /// The JSON text, checked by the same rules as on reading: what is not readable is never written.
    ///
    /// # Errors
    /// The first violation found, or a text that does not fit the JSON area of `size`.
    pub fn encode(&self, size: HeaderSize) -> Result<String, BadMetadata> {
        validate::validate(self, size)?;
        let mut object = self.rest.clone();
        object.put_object("keyslots", &section_object(&self.keyslots, Keyslot::to_object));
        object.put_object("tokens", &section_object(&self.tokens, Token::to_object));
        object.put_object("segments", &section_object(&self.segments, Segment::to_object));
        object.put_object("digests", &section_object(&self.digests, Digest::to_object));
        object.put_object("config", &self.config.to_object());
        let text = object.to_string();
        let limit = size.json_bytes() - 1; // the terminating zero
        if text.len() as u64 > limit {
            return Err(BadMetadata::new("", Problem::TooLong { len: text.len(), limit }));
        }
        Ok(text)
    }

    /// The digests that recognise the key of keyslot `slot`.
    pub fn digests_of(&self, slot: u32) -> impl Iterator<Item = (u32, &Digest)> {
        self.digests.iter().filter(move |(_, digest)| digest.keyslots.contains(&slot)).map(|(&id, digest)| (id, digest))
    }

    /// Takes keyslot `slot` out of the document with every reference to it: from digests and from tokens, and with
    /// the `sear` tokens that pointed at nothing else. The key material in its area is not touched.
    pub fn remove_keyslot(&mut self, slot: u32) -> Option<Keyslot> {
        for digest in self.digests.values_mut() {
            digest.keyslots.retain(|&id| id != slot);
        }
        for token in self.tokens.values_mut() {
            token.keyslots.retain(|&id| id != slot);
        }
        self.tokens.retain(|_, token| token.kind != super::token::TYPE || !token.keyslots.is_empty());
        self.keyslots.remove(&slot)
    }

    /// The lowest keyslot number that is free.
    #[must_use]
    pub fn free_keyslot(&self) -> Option<u32> {
        (0..MAX_KEYSLOTS).find(|id| !self.keyslots.contains_key(id))
    }

    /// The lowest token number that is free.
    #[must_use]
    pub fn free_token(&self) -> Option<u32> {
        (0..MAX_TOKENS).find(|id| !self.tokens.contains_key(id))
    }
}

/// The text before the terminating zero; everything after it must be zero (cryptsetup refuses anything else).
fn area_text(area: &[u8]) -> Result<&str, BadMetadata> {
    let whole = |problem| BadMetadata::new("", problem);
    let end = area.iter().position(|&byte| byte == 0).ok_or_else(|| whole(Problem::NotTerminated))?;
    let (text, padding) = area.split_at(end);
    if let Some(at) = padding.iter().position(|&byte| byte != 0) {
        return Err(whole(Problem::AfterEnd { at: end + at }));
    }
    std::str::from_utf8(text).map_err(|error| whole(Problem::NotUtf8 { at: error.valid_up_to() }))
}

/// Counts brackets outside strings, so that no parser is ever led into deep recursion.
fn check_depth(text: &str) -> Result<(), BadMetadata> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(BadMetadata::new("", Problem::TooDeep { limit: MAX_DEPTH }));
        }
    }
    Ok(())
}

/// Reads a section whose members are numbered from 0 to `limit` − 1.
fn section<T>(
    document: &mut Fields,
    name: &str,
    limit: u32,
    read: impl Fn(Fields) -> Result<T, BadMetadata>,
) -> Result<BTreeMap<u32, T>, BadMetadata> {
    let mut members = BTreeMap::new();
    for (key, fields) in document.object(name)?.into_objects()? {
        let id = parse_id(&key, limit)
            .ok_or_else(|| BadMetadata::new(format!("{name}.{key}"), Problem::BadId { limit: limit - 1 }))?;
        members.insert(id, read(fields)?);
    }
    Ok(members)
}

fn section_object<T>(members: &BTreeMap<u32, T>, to_object: impl Fn(&T) -> Object) -> Object {
    let mut section = Object::default();
    for (id, member) in members {
        section.put_object(&id.to_string(), &to_object(member));
    }
    section
}

/// A member's number in its only spelling: decimal, no leading zero, below `limit`.
fn parse_id(text: &str, limit: u32) -> Option<u32> {
    let id = u32::try_from(decimal(text)?).ok()?;
    (id < limit && id.to_string() == text).then_some(id)
}

/// Reads a list of references. That they exist is checked by `validate`; one that is not even a number cannot.
fn references(
    fields: &mut Fields,
    name: &str,
    limit: u32,
    unknown: impl Fn(String) -> Problem,
) -> Result<Vec<u32>, BadMetadata> {
    let mut ids = Vec::new();
    for text in fields.strings(name)? {
        match parse_id(&text, limit) {
            Some(id) if ids.contains(&id) => return Err(fields.bad(name, Problem::ListedTwice { id: text })),
            Some(id) => ids.push(id),
            None => return Err(fields.bad(name, unknown(text))),
        }
    }
    Ok(ids)
}
