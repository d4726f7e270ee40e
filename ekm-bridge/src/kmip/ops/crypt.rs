//! Encrypt and Decrypt: the key stays in the server (KMIP 1.2, sections 4.29 and 4.30).

use keywrap::secret::SecretBytes;

use super::Request;
use crate::kmip::enums::{BlockCipherMode, CryptographicAlgorithm, Operation, PaddingMethod};
use crate::kmip::fields::{Fields, Malformed};
use crate::kmip::id::UniqueId;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::Item;
use crate::kmip::version::ProtocolVersion;

/// How a key is used (KMIP 1.x, section 3.6). What is left out is as the key's own attribute says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CryptographicParameters {
    /// The mode of the block cipher.
    pub mode: Option<BlockCipherMode>,
    /// The padding.
    pub padding: Option<PaddingMethod>,
    /// The algorithm (1.2 and later; left out before).
    pub algorithm: Option<CryptographicAlgorithm>,
    /// Bytes of the tag of authenticated encryption (1.2 and later; left out before).
    pub tag_length: Option<i32>,
}

impl CryptographicParameters {
    /// The structure; none when everything is left out.
    pub(super) fn to_item(self, version: ProtocolVersion) -> Option<Item> {
        let mut fields = Vec::new();
        fields.extend(self.mode.map(|mode| Item::enumeration(Tag::BLOCK_CIPHER_MODE, mode)));
        fields.extend(self.padding.map(|padding| Item::enumeration(Tag::PADDING_METHOD, padding)));
        if version >= ProtocolVersion::V1_2 {
            fields.extend(self.algorithm.map(|value| Item::enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, value)));
            fields.extend(self.tag_length.map(|bytes| Item::integer(Tag::TAG_LENGTH, bytes)));
        }
        (!fields.is_empty()).then(|| Item::structure(Tag::CRYPTOGRAPHIC_PARAMETERS, fields))
    }
}

/// Encrypt `data`.
pub struct Encrypt {
    /// The key.
    pub object: Option<UniqueId>,
    /// How to use it.
    pub parameters: CryptographicParameters,
    /// The plaintext.
    pub data: SecretBytes,
    /// The IV; some servers choose one themselves if it is left out.
    pub iv: Option<Vec<u8>>,
    /// What is authenticated beside the plaintext (1.4 and later).
    pub additional: Option<Vec<u8>>,
}

/// The answer to [`Encrypt`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// The ciphertext.
    pub data: Vec<u8>,
    /// The IV, if the server chose it.
    pub iv: Option<Vec<u8>>,
    /// The tag of authenticated encryption (1.4 and later).
    pub tag: Option<Vec<u8>>,
}

impl Request for Encrypt {
    const OPERATION: Operation = Operation::ENCRYPT;
    const SINCE: ProtocolVersion = ProtocolVersion::V1_2;
    type Response = Encrypted;

    fn payload(&self, version: ProtocolVersion) -> Vec<Item> {
        let mut fields = UniqueId::field(self.object.as_ref());
        fields.extend(self.parameters.to_item(version));
        fields.push(Item::bytes(Tag::DATA, self.data.expose_secret()));
        fields.extend(bytes(Tag::IV_COUNTER_NONCE, self.iv.as_deref()));
        fields.extend(bytes(Tag::AUTHENTICATED_ENCRYPTION_ADDITIONAL_DATA, self.additional.as_deref()));
        fields
    }

    fn read(payload: Fields<'_>) -> Result<Self::Response, Malformed> {
        Ok(Encrypted {
            data: payload.bytes(Tag::DATA)?.to_vec(),
            iv: payload.bytes(Tag::IV_COUNTER_NONCE).ok().map(<[u8]>::to_vec),
            tag: payload.bytes(Tag::AUTHENTICATED_ENCRYPTION_TAG).ok().map(<[u8]>::to_vec),
        })
    }
}

/// Decrypt `data`.
pub struct Decrypt {
    /// The key.
    pub object: Option<UniqueId>,
    /// How to use it.
    pub parameters: CryptographicParameters,
    /// The ciphertext.
    pub data: Vec<u8>,
    /// The IV.
    pub iv: Option<Vec<u8>>,
    /// What was authenticated beside the plaintext (1.4 and later).
    pub additional: Option<Vec<u8>>,
    /// The tag of authenticated encryption (1.4 and later).
    pub tag: Option<Vec<u8>>,
}

impl Request for Decrypt {
    const OPERATION: Operation = Operation::DECRYPT;
    const SINCE: ProtocolVersion = ProtocolVersion::V1_2;
    type Response = SecretBytes;

    fn payload(&self, version: ProtocolVersion) -> Vec<Item> {
        let mut fields = UniqueId::field(self.object.as_ref());
        fields.extend(self.parameters.to_item(version));
        fields.push(Item::bytes(Tag::DATA, &self.data));
        fields.extend(bytes(Tag::IV_COUNTER_NONCE, self.iv.as_deref()));
        fields.extend(bytes(Tag::AUTHENTICATED_ENCRYPTION_ADDITIONAL_DATA, self.additional.as_deref()));
        fields.extend(bytes(Tag::AUTHENTICATED_ENCRYPTION_TAG, self.tag.as_deref()));
        fields
    }

    fn read(payload: Fields<'_>) -> Result<Self::Response, Malformed> {
        payload.bytes(Tag::DATA).map(SecretBytes::copy_from)
    }
}

fn bytes(tag: Tag, bytes: Option<&[u8]>) -> Option<Item> {
    bytes.map(|bytes| Item::bytes(tag, bytes))
}
