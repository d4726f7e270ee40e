//! The token of type `sear`: which master key opens which keyslot (`docs/format/sear-token.md`).

use base64ct::{Base64, Encoding};
use uuid::Uuid;

use super::json::{Metadata, Object, Token};
use super::mac::Mac;
use crate::keys::KeyId;

/// The token's member `type`.
pub const TYPE: &str = "sear";
/// The only version of the token, its member `sear_version`.
pub const VERSION: u32 = 1;
/// How keys come from the master key, the member `kdf`.
pub const KDF: &str = "hkdf-sha256";
/// Length of the salt in bytes.
pub const SALT_LEN: usize = 32;

/// A token of type `sear`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearToken {
    /// The one keyslot that the token opens.
    pub keyslot: u32,
    /// The master key that the keyslot's passphrase comes from.
    pub key_id: KeyId,
    /// HKDF salt of the keyslot key and of the MAC key.
    pub salt: [u8; SALT_LEN],
    /// Binds the token to the rest of the header.
    pub mac: Mac,
    /// Members that this version does not have; they are kept and not covered by the MAC.
    pub rest: Object,
}

/// Why a token of type `sear` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("token {id}, field {field}: {problem}")]
pub struct BadToken {
    /// The token's number.
    pub id: u32,
    /// The member.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: TokenProblem,
}

/// What is wrong with a member of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says what it means")]
pub enum TokenProblem {
    #[error("missing, or not of the right type")]
    Malformed,
    #[error("version {0} is newer than this program")]
    Version(u32),
    #[error("only hkdf-sha256 is known")]
    Kdf,
    #[error("exactly one keyslot is expected")]
    Keyslots,
    #[error("the length is wrong")]
    Length,
}

impl SearToken {
    /// Every token of type `sear` that has a keyslot, with its number, lowest first.
    pub fn all(metadata: &Metadata) -> impl Iterator<Item = (u32, Result<Self, BadToken>)> {
        let ours = metadata.tokens.iter().filter(|(_, token)| token.kind == TYPE && !Self::is_orphan(token));
        ours.map(|(&id, token)| (id, Self::parse(id, token)))
    }

    /// Whether this is a token of type `sear` whose keyslot is gone: other programs (`cryptsetup luksKillSlot`) remove a
    /// keyslot and leave its token. It opens nothing, and is taken out when the next one is added.
    #[must_use]
    pub fn is_orphan(token: &Token) -> bool {
        token.kind == TYPE && token.keyslots.is_empty()
    }

    /// Reads the token numbered `id`, whose type is `sear`.
    ///
    /// # Errors
    /// The first member that is wrong.
    pub fn parse(id: u32, token: &Token) -> Result<Self, BadToken> {
        let reader = Reader { id, members: &token.rest };
        let version = reader.number("sear_version")?;
        if version != VERSION {
            return Err(reader.bad("sear_version", TokenProblem::Version(version)));
        }
        if reader.string("kdf")? != KDF {
            return Err(reader.bad("kdf", TokenProblem::Kdf));
        }
        let [keyslot] = token.keyslots[..] else {
            return Err(reader.bad("keyslots", TokenProblem::Keyslots));
        };
        let key_id = reader.string("key_id")?;
        let key_id = Uuid::try_parse(&key_id).map_err(|_| reader.bad("key_id", TokenProblem::Malformed))?;
        Ok(Self {
            keyslot,
            key_id: KeyId(key_id),
            salt: reader.bytes("salt")?,
            mac: Mac { whole: reader.bytes("mac")?, fields: reader.bytes_of_any_length("field_macs")? },
            rest: token.rest.without(&["sear_version", "kdf", "key_id", "salt", "mac", "field_macs"]),
        })
    }

    /// The token as the header stores it.
    #[must_use]
    pub fn to_token(&self) -> Token {
        let mut rest = self.rest.clone();
        rest.put_u32("sear_version", VERSION);
        rest.put_str("kdf", KDF);
        rest.put_str("key_id", &self.key_id.to_string());
        rest.put_bytes("salt", &self.salt);
        rest.put_bytes("mac", &self.mac.whole);
        rest.put_bytes("field_macs", &self.mac.fields);
        Token { kind: TYPE.to_owned(), keyslots: vec![self.keyslot], rest }
    }
}

/// Reads members of one token and names it in errors.
struct Reader<'t> {
    id: u32,
    members: &'t Object,
}

impl Reader<'_> {
    fn bad(&self, field: &'static str, problem: TokenProblem) -> BadToken {
        BadToken { id: self.id, field, problem }
    }

    fn text(&self, field: &'static str) -> Result<&str, BadToken> {
        let text = self.members.get(field).ok_or_else(|| self.bad(field, TokenProblem::Malformed))?;
        Ok(text.as_str())
    }

    fn string(&self, field: &'static str) -> Result<String, BadToken> {
        serde_json::from_str(self.text(field)?).map_err(|_| self.bad(field, TokenProblem::Malformed))
    }

    fn number(&self, field: &'static str) -> Result<u32, BadToken> {
        serde_json::from_str(self.text(field)?).map_err(|_| self.bad(field, TokenProblem::Malformed))
    }

    fn bytes<const N: usize>(&self, field: &'static str) -> Result<[u8; N], BadToken> {
        let bytes = self.bytes_of_any_length(field)?;
        bytes.try_into().map_err(|_| self.bad(field, TokenProblem::Length))
    }

    fn bytes_of_any_length(&self, field: &'static str) -> Result<Vec<u8>, BadToken> {
        Base64::decode_vec(&self.string(field)?).map_err(|_| self.bad(field, TokenProblem::Malformed))
    }
}
