//! The MAC of the `sear` token: LUKS2's checksum only finds accidents, this finds an attacker's hand.
//!
//! HMAC-SHA-256 over a list of named fields, each length-prefixed. A short MAC of each field alone is stored beside
//! it, so that the error can say which one was changed; only the MAC of all of them decides.
//! `docs/format/sear-token.md` has the list, the encoding and the reasons.

use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::binary::UuidText;
use super::json::{Config, Digest, DigestKind, KdfKind, Keyslot, KeyslotKind, Metadata};
use super::json::{Segment, SegmentKind, SegmentSize};
use super::token::{KDF, SearToken, VERSION};
use crate::keys::MacKey;

/// Separates the MAC of everything from all other uses of the key.
const WHOLE_DOMAIN: &[u8] = b"sear/1/header";
/// Separates the MAC of a single field.
const FIELD_DOMAIN: &[u8] = b"sear/1/header-field";
/// A field whose value never changes: when it disagrees, the MAC key is another one.
pub(crate) const CONSTANT_FIELD: &str = "token.kdf";
/// Stored bytes of a single field's MAC.
const FIELD_MAC_LEN: usize = 4;

/// What the token stores: the MAC of everything, and a short one of each field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mac {
    /// HMAC-SHA-256 over all fields. It alone decides.
    pub whole: [u8; 32],
    /// The first four bytes of each field's own HMAC-SHA-256, in the order of the fields. They name the culprit.
    pub fields: Vec<u8>,
}

/// A header that is not the one that was authenticated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMac {
    /// Fields were changed by someone who does not have the master key.
    #[error("the header was tampered with: {} is not what the holder of the master key wrote", .0.join(", "))]
    Fields(Vec<&'static str>),
    /// The stored MACs were changed themselves.
    #[error("the header was tampered with: the token's own mac is not what the holder of the master key wrote")]
    Token,
    /// The token's keyslot, its digest or the segment does not exist.
    #[error("the header was tampered with: the token's keyslot has no {0}")]
    Unbound(&'static str),
}

/// Computes the MAC of `token` for the header it will be stored in. `metadata` holds the keyslot and digest already.
///
/// # Errors
/// When the token's keyslot, a digest that binds it to segment 0, or that segment is missing.
pub fn seal(key: &MacKey, uuid: &UuidText, metadata: &Metadata, token: &mut SearToken) -> Result<(), BadMac> {
    token.mac = compute(key, &covered(uuid, metadata, token)?);
    Ok(())
}

/// Compares the MAC of `token` in constant time.
///
/// # Errors
/// Which fields disagree.
pub fn verify(key: &MacKey, uuid: &UuidText, metadata: &Metadata, token: &SearToken) -> Result<(), BadMac> {
    let fields = covered(uuid, metadata, token)?;
    let (actual, stored) = (compute(key, &fields), &token.mac);
    if bool::from(actual.whole.ct_eq(&stored.whole)) {
        return Ok(());
    }
    let pairs = actual.fields.chunks(FIELD_MAC_LEN).zip(stored.fields.chunks(FIELD_MAC_LEN));
    let differing = fields.iter().zip(pairs).filter(|(_, (a, b))| !bool::from(a.ct_eq(b)));
    let differing: Vec<_> = differing.map(|(field, _)| field.name).collect();
    Err(if differing.is_empty() { BadMac::Token } else { BadMac::Fields(differing) })
}

fn compute(key: &MacKey, fields: &[Field]) -> Mac {
    let mut whole = begin(key, WHOLE_DOMAIN);
    let mut shorts = Vec::new();
    for field in fields {
        field.absorb(&mut whole);
        let mut alone = begin(key, FIELD_DOMAIN);
        field.absorb(&mut alone);
        shorts.extend_from_slice(&alone.finalize().into_bytes()[..FIELD_MAC_LEN]);
    }
    Mac { whole: whole.finalize().into_bytes().into(), fields: shorts }
}

fn begin(key: &MacKey, domain: &[u8]) -> Hmac<Sha256> {
    // The key zero-padded to the hash's block, as HMAC pads it itself (RFC 2104, section 2).
    let mut block = Zeroizing::new([0; 64]);
    block[..32].copy_from_slice(key.0.expose_secret());
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    absorb(&mut mac, domain);
    mac
}

/// A 64-bit big-endian length, then the bytes.
fn absorb(mac: &mut Hmac<Sha256>, bytes: &[u8]) {
    mac.update(&(bytes.len() as u64).to_be_bytes());
    mac.update(bytes);
}

/// One authenticated field.
struct Field {
    name: &'static str,
    value: Vec<u8>,
}

impl Field {
    /// A salt or digest as it is, or a text as UTF-8.
    fn bytes(name: &'static str, value: impl AsRef<[u8]>) -> Self {
        Self { name, value: value.as_ref().to_vec() }
    }

    /// A number as 64 bits big-endian.
    fn number(name: &'static str, value: impl Into<u64>) -> Self {
        Self { name, value: value.into().to_be_bytes().to_vec() }
    }

    fn absorb(&self, mac: &mut Hmac<Sha256>) {
        absorb(mac, self.name.as_bytes());
        absorb(mac, &self.value);
    }
}

/// Every covered field in its fixed order.
fn covered(uuid: &UuidText, metadata: &Metadata, token: &SearToken) -> Result<Vec<Field>, BadMac> {
    let keyslot = metadata.keyslots.get(&token.keyslot).ok_or(BadMac::Unbound("keyslot"))?;
    let digest = metadata.digests_of(token.keyslot).find(|(_, digest)| digest.segments.contains(&0));
    let (_, digest) = digest.ok_or(BadMac::Unbound("digest of segment 0"))?;
    let segment = metadata.segments.get(&0).ok_or(BadMac::Unbound("segment 0"))?;
    let mut fields = vec![
        Field::bytes("uuid", uuid.as_bytes()),
        Field::number("token.sear_version", VERSION),
        Field::bytes("token.key_id", token.key_id.0.as_bytes()),
        Field::bytes(CONSTANT_FIELD, KDF),
        Field::bytes("token.salt", token.salt),
        Field::number("token.keyslot", token.keyslot),
    ];
    fields.extend(config_fields(&metadata.config));
    fields.extend(segment_fields(segment));
    fields.extend(digest_fields(digest));
    fields.extend(keyslot_fields(keyslot));
    Ok(fields)
}

/// Only what changes the meaning or safety of the volume: other flags tune performance and may be set by anyone.
fn config_fields(config: &Config) -> [Field; 2] {
    let mut mandatory = config.mandatory.clone();
    mandatory.sort_unstable();
    [
        Field::bytes("config.requirements.mandatory", mandatory.join("\0")),
        Field::number("config.flags.allow-discards", u64::from(config.allow_discards())),
    ]
}

fn segment_fields(segment: &Segment) -> Vec<Field> {
    let size = match segment.size {
        SegmentSize::Dynamic => "dynamic".to_owned(),
        SegmentSize::Fixed(size) => size.to_string(),
    };
    let place = [Field::number("segment.offset", segment.offset), Field::bytes("segment.size", size)];
    let kind = match &segment.kind {
        SegmentKind::Crypt(crypt) => vec![
            Field::bytes("segment.type", "crypt"),
            Field::number("segment.iv_tweak", crypt.iv_tweak),
            Field::bytes("segment.encryption", &crypt.encryption),
            Field::number("segment.sector_size", crypt.sector_size.bytes()),
        ],
        SegmentKind::Linear => vec![Field::bytes("segment.type", "linear")],
        SegmentKind::Other(kind) => vec![Field::bytes("segment.type", kind)],
    };
    place.into_iter().chain(kind).collect()
}

fn digest_fields(digest: &Digest) -> Vec<Field> {
    match &digest.kind {
        DigestKind::Pbkdf2(pbkdf2) => vec![
            Field::bytes("digest.type", "pbkdf2"),
            Field::bytes("digest.hash", &pbkdf2.hash),
            Field::number("digest.iterations", pbkdf2.iterations),
            Field::bytes("digest.salt", &pbkdf2.salt),
            Field::bytes("digest.digest", &pbkdf2.digest),
        ],
        DigestKind::Other(kind) => vec![Field::bytes("digest.type", kind)],
    }
}

fn keyslot_fields(keyslot: &Keyslot) -> Vec<Field> {
    let mut fields = vec![
        Field::number("keyslot.key_size", keyslot.key_size),
        Field::bytes("keyslot.area.type", &keyslot.area.kind),
        Field::number("keyslot.area.offset", keyslot.area.offset),
        Field::number("keyslot.area.size", keyslot.area.size),
    ];
    match &keyslot.kind {
        KeyslotKind::Luks2(luks2) => {
            fields.push(Field::bytes("keyslot.type", "luks2"));
            fields.push(Field::bytes("keyslot.area.encryption", &luks2.encryption));
            fields.push(Field::number("keyslot.area.key_size", luks2.area_key_size));
            fields.push(Field::number("keyslot.af.stripes", luks2.af.stripes));
            fields.push(Field::bytes("keyslot.af.hash", &luks2.af.hash));
            fields.push(Field::bytes("keyslot.kdf", kdf_text(&luks2.kdf.kind)));
            fields.push(Field::bytes("keyslot.kdf.salt", &luks2.kdf.salt));
        }
        KeyslotKind::Other(kind) => fields.push(Field::bytes("keyslot.type", kind)),
    }
    fields
}

/// The function and its cost in one text.
fn kdf_text(kdf: &KdfKind) -> String {
    match kdf {
        KdfKind::Pbkdf2 { hash, iterations } => format!("pbkdf2 {iterations} {hash}"),
        KdfKind::Argon2i { time, memory, cpus } => format!("argon2i {time} {memory} {cpus}"),
        KdfKind::Argon2id { time, memory, cpus } => format!("argon2id {time} {memory} {cpus}"),
    }
}
