//! Key blocks: a key with what is needed to use it (KMIP 1.x, section 2.1.3).

use keywrap::secret::SecretBytes;

use super::enums::{CryptographicAlgorithm, EncodingOption, KeyFormatType, WrappingMethod};
use super::fields::{Fields, Malformed};
use super::id::UniqueId;
use super::tag::Tag;
use super::ttlv::{Item, Value};

/// A key as a server gives it out or takes it. It cannot be printed.
pub struct KeyBlock {
    /// How the material is written.
    pub format: KeyFormatType,
    /// The bytes of the key, or of the wrapped key.
    pub material: SecretBytes,
    /// What the key is for, unless the server keeps that to the attributes.
    pub algorithm: Option<CryptographicAlgorithm>,
    /// Its length in bits.
    pub length: Option<i32>,
    /// How it is wrapped; none when it is in clear.
    pub wrapping: Option<KeyWrapping>,
}

/// How a key was wrapped (section 2.1.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyWrapping {
    /// Encrypted, signed or both.
    pub method: WrappingMethod,
    /// The key that wrapped it.
    pub wrapping_key: Option<UniqueId>,
    /// What was wrapped; without it, the TTLV structure Key Value.
    pub encoding: Option<EncodingOption>,
}

impl KeyBlock {
    /// A symmetric key in clear.
    #[must_use]
    pub fn raw(algorithm: CryptographicAlgorithm, material: &[u8]) -> Self {
        Self {
            format: KeyFormatType::RAW,
            material: SecretBytes::copy_from(material),
            algorithm: Some(algorithm),
            length: material.len().checked_mul(8).and_then(|bits| i32::try_from(bits).ok()),
            wrapping: None,
        }
    }

    /// The structure Symmetric Key.
    pub(super) fn to_symmetric_key(&self) -> Item {
        let material = Item::bytes(Tag::KEY_MATERIAL, self.material.expose_secret());
        let mut fields =
            vec![Item::enumeration(Tag::KEY_FORMAT_TYPE, self.format), Item::structure(Tag::KEY_VALUE, vec![material])];
        fields.extend(self.algorithm.map(|value| Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, value)));
        fields.extend(self.length.map(|bits| Item::integer(Tag::CRYPTOGRAPHIC_LENGTH, bits)));
        Item::structure(Tag::SYMMETRIC_KEY, vec![Item::structure(Tag::KEY_BLOCK, fields)])
    }

    /// Reads the key block inside of a managed object.
    ///
    /// # Errors
    /// When it has no key value in a form that is known.
    pub(super) fn read(object: Fields<'_>) -> Result<Self, Malformed> {
        let block = object.structure(Tag::KEY_BLOCK)?;
        Ok(Self {
            format: block.enumeration(Tag::KEY_FORMAT_TYPE)?,
            material: SecretBytes::copy_from(material(block)?),
            algorithm: block.enumeration_if_any(Tag::CRYPTOGRAPHIC_ALGORITHM),
            length: block.integer(Tag::CRYPTOGRAPHIC_LENGTH).ok(),
            wrapping: block.get(Tag::KEY_WRAPPING_DATA).map(|data| KeyWrapping::read(Fields::of(data))).transpose()?,
        })
    }
}

/// The bytes of the key: of a wrapped one the Key Value itself, else the Key Material in it, which for the format
/// Transparent Symmetric Key is a structure with the key inside (section 2.1.7.1).
fn material<'a>(block: Fields<'a>) -> Result<&'a [u8], Malformed> {
    let value = block.require(Tag::KEY_VALUE)?;
    if let Value::Bytes(wrapped) = &value.value {
        return Ok(wrapped);
    }
    let value = Fields::of(value);
    match &value.require(Tag::KEY_MATERIAL)?.value {
        Value::Structure(_) => value.structure(Tag::KEY_MATERIAL)?.bytes(Tag::KEY),
        _ => value.bytes(Tag::KEY_MATERIAL),
    }
}

impl KeyWrapping {
    fn read(data: Fields<'_>) -> Result<Self, Malformed> {
        let key = data.get(Tag::ENCRYPTION_KEY_INFORMATION).map(Fields::of);
        Ok(Self {
            method: data.enumeration(Tag::WRAPPING_METHOD)?,
            wrapping_key: key.and_then(|key| UniqueId::read(key).ok()),
            encoding: data.enumeration_if_any(Tag::ENCODING_OPTION),
        })
    }
}
