//! Digests: how a candidate volume key is recognised (LUKS2 spec, section 3.4).

use super::object::Fields;
use super::{BadMetadata, MAX_KEYSLOTS, MAX_SEGMENTS, Object, Problem, references};

/// One digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// The keyslots that hold this digest's key.
    pub keyslots: Vec<u32>,
    /// The segments that are encrypted with this digest's key.
    pub segments: Vec<u32>,
    /// How the digest is computed.
    pub kind: DigestKind,
    /// Members that the specification does not have, and all members of an unknown type.
    pub rest: Object,
}

/// A digest's type and its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DigestKind {
    /// Type `pbkdf2`.
    Pbkdf2(Pbkdf2Digest),
    /// Any other type; it recognises no key.
    Other(String),
}

/// The members of a digest of type `pbkdf2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pbkdf2Digest {
    /// The PRF's hash, such as `sha256`.
    pub hash: String,
    /// PBKDF2 iterations.
    pub iterations: u32,
    /// PBKDF2 salt.
    pub salt: Vec<u8>,
    /// The derived bytes.
    pub digest: Vec<u8>,
}

impl Digest {
    pub(super) fn read(mut fields: Fields) -> Result<Self, BadMetadata> {
        let kind = fields.string("type")?;
        let keyslots = references(&mut fields, "keyslots", MAX_KEYSLOTS, |id| Problem::NoSuchKeyslot { id })?;
        let segments = references(&mut fields, "segments", MAX_SEGMENTS, |id| Problem::NoSuchSegment { id })?;
        let kind = match kind.as_str() {
            "pbkdf2" => DigestKind::Pbkdf2(Pbkdf2Digest {
                hash: fields.string("hash")?,
                iterations: fields.uint32("iterations")?,
                salt: fields.bytes("salt")?,
                digest: fields.bytes("digest")?,
            }),
            _ => DigestKind::Other(kind),
        };
        Ok(Self { keyslots, segments, kind, rest: fields.rest() })
    }

    pub(super) fn to_object(&self) -> Object {
        let mut object = self.rest.clone();
        object.put_strings("keyslots", &self.keyslots);
        object.put_strings("segments", &self.segments);
        match &self.kind {
            DigestKind::Pbkdf2(digest) => {
                object.put_str("type", "pbkdf2");
                object.put_str("hash", &digest.hash);
                object.put_u32("iterations", digest.iterations);
                object.put_bytes("salt", &digest.salt);
                object.put_bytes("digest", &digest.digest);
            }
            DigestKind::Other(kind) => object.put_str("type", kind),
        }
        object
    }
}
