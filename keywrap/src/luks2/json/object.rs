//! JSON objects whose unknown members survive a read-change-write exactly as they were written.
//!
//! Values that this program does not know are kept as the text that was found, so no number is rounded and no
//! string is re-escaped on the way.

use std::collections::BTreeMap;
use std::fmt;

use base64ct::{Base64, Encoding};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{BadMetadata, Problem};

/// The text of one JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawJson(String);

impl RawJson {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A JSON object: members in the order of their names, values as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object(BTreeMap<String, RawJson>);

impl Object {
    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text of a member's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&RawJson> {
        self.0.get(name)
    }

    /// A copy without the members named.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        let kept = self.0.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        Self(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// Sets a member to a string.
    pub fn put_str(&mut self, name: &str, value: &str) {
        self.put_text(name, Value::from(value).to_string());
    }

    /// Sets a member to a number.
    pub fn put_u32(&mut self, name: &str, value: u32) {
        self.put_text(name, value.to_string());
    }

    /// Sets a member to a 64-bit number, which LUKS2 writes as a decimal string.
    pub fn put_u64(&mut self, name: &str, value: u64) {
        self.put_text(name, format!("\"{value}\""));
    }

    /// Sets a member to bytes in base64.
    pub fn put_bytes(&mut self, name: &str, value: &[u8]) {
        self.put_str(name, &Base64::encode_string(value));
    }

    /// Sets a member to an array of strings.
    pub fn put_strings<T: ToString>(&mut self, name: &str, values: &[T]) {
        let values: Vec<_> = values.iter().map(|value| Value::from(value.to_string())).collect();
        self.put_text(name, Value::from(values).to_string());
    }

    /// Sets a member to an object.
    pub fn put_object(&mut self, name: &str, value: &Self) {
        self.put_text(name, value.to_string());
    }

    fn put_text(&mut self, name: &str, text: String) {
        self.0.insert(name.to_owned(), RawJson(text));
    }
}

impl fmt::Display for Object {
    /// The JSON text without white space between tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (name, value)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}:{}", Value::from(name.as_str()), value.0)?;
        }
        f.write_str("}")
    }
}

/// An object's members in the order of the text, repeated names included.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// An object being read: each known member is taken out, what is left over is unknown.
pub(super) struct Fields {
    path: String,
    object: Object,
}

impl Fields {
    /// Reads the members of the object in `text`, which is found at `path`.
    pub(super) fn parse(path: String, text: &str) -> Result<Self, BadMetadata> {
        if !text.trim_start().starts_with('{') {
            return Err(BadMetadata::new(path, Problem::NotAnObject));
        }
        let members = match serde_json::from_str::<Members>(text) {
            Ok(members) => members.0,
            Err(error) => return Err(BadMetadata::new(path, Problem::Syntax { detail: error.to_string() })),
        };
        let mut fields = Self { path, object: Object::default() };
        for (name, value) in members {
            if fields.object.0.insert(name.clone(), RawJson(value.get().to_owned())).is_some() {
                return Err(fields.bad(&name, Problem::Duplicate));
            }
        }
        Ok(fields)
    }

    /// An error about the member `name`.
    pub(super) fn bad(&self, name: &str, problem: Problem) -> BadMetadata {
        BadMetadata::new(self.member_path(name), problem)
    }

    /// What was not taken.
    pub(super) fn rest(self) -> Object {
        self.object
    }

    /// Every member as an object of its own, for sections keyed by a number.
    pub(super) fn into_objects(self) -> Result<Vec<(String, Self)>, BadMetadata> {
        let Self { path, object } = self;
        let parse = |(name, text): (String, RawJson)| {
            let fields = Self::parse(join(&path, &name), text.as_str())?;
            Ok((name, fields))
        };
        object.0.into_iter().map(parse).collect()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.object.0.contains_key(name)
    }

    pub(super) fn object(&mut self, name: &str) -> Result<Self, BadMetadata> {
        let text = self.take(name)?;
        Self::parse(self.member_path(name), text.as_str())
    }

    pub(super) fn string(&mut self, name: &str) -> Result<String, BadMetadata> {
        let text = self.take(name)?;
        serde_json::from_str(text.as_str()).map_err(|_| self.bad(name, Problem::NotAString))
    }

    pub(super) fn strings(&mut self, name: &str) -> Result<Vec<String>, BadMetadata> {
        let text = self.take(name)?;
        serde_json::from_str(text.as_str()).map_err(|_| self.bad(name, Problem::NotStrings))
    }

    pub(super) fn uint32(&mut self, name: &str) -> Result<u32, BadMetadata> {
        let text = self.take(name)?;
        serde_json::from_str(text.as_str()).map_err(|_| self.bad(name, Problem::NotUint32))
    }

    /// A 64-bit number, which LUKS2 writes as a string of decimal digits.
    pub(super) fn uint64(&mut self, name: &str) -> Result<u64, BadMetadata> {
        let text = self.string(name)?;
        decimal(&text).ok_or_else(|| self.bad(name, Problem::NotUint64))
    }

    pub(super) fn bytes(&mut self, name: &str) -> Result<Vec<u8>, BadMetadata> {
        let text = self.string(name)?;
        Base64::decode_vec(&text).map_err(|_| self.bad(name, Problem::NotBase64))
    }

    fn take(&mut self, name: &str) -> Result<RawJson, BadMetadata> {
        match self.object.0.remove(name) {
            Some(text) => Ok(text),
            None => Err(self.bad(name, Problem::Missing)),
        }
    }

    fn member_path(&self, name: &str) -> String {
        join(&self.path, name)
    }
}

/// A number written with decimal digits only: no sign, no space, nothing that overflows.
pub(super) fn decimal(text: &str) -> Option<u64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
