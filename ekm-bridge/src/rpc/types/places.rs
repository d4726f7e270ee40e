//! Volumes that lie anywhere, their passphrases and their headers. None of it is Element's: these objects are ours.

use base64ct::{Base64, Encoding};
use keywrap::secret::SecretBytes;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::words::words;
use super::{AccountId, Timestamp, VolumeId};

words! {
    /// How a passphrase is stretched.
    Pbkdf {
        /// Argon2id (RFC 9106).
        Argon2id = "argon2id",
        /// PBKDF2-SHA-256 (RFC 8018).
        Pbkdf2 = "pbkdf2",
    }
}

/// A passphrase on its way in: any bytes, in base64. It cannot be printed and is wiped.
pub struct Passphrase(SecretBytes);

impl Passphrase {
    /// The passphrase.
    #[must_use]
    pub fn expose_secret(&self) -> &SecretBytes {
        &self.0
    }

    /// The passphrase, for who keeps it.
    #[must_use]
    pub fn into_secret(self) -> SecretBytes {
        self.0
    }
}

impl<'de> Deserialize<'de> for Passphrase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let mut bytes = SecretBytes::zeroed(text.len());
        // The error of the decoder says nothing of the text.
        let decoded = Base64::decode(text.as_bytes(), bytes.expose_secret_mut());
        let decoded = decoded.map_err(|_| D::Error::custom("it is not base64"))?;
        if decoded.is_empty() {
            return Err(D::Error::custom("an empty passphrase protects nothing"));
        }
        Ok(Self(SecretBytes::copy_from(decoded)))
    }
}

/// Key material on its way out, in base64. It cannot be printed and is wiped; what it was written to is not.
#[derive(Clone)]
pub struct SecretBase64(Zeroizing<String>);

impl SecretBase64 {
    /// These bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(Base64::encode_string(bytes)))
    }
}

impl Serialize for SecretBase64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Parameters of `CreateVolumeAt`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateVolumeAt {
    /// A label of 1 to 64 characters.
    pub name: String,
    /// The file or block device of the data, an absolute path.
    pub path: String,
    /// That of the header, when it is to lie apart from the data.
    pub header_path: Option<String>,
    /// The owner; 1 when not given.
    #[serde(rename = "accountID")]
    pub account: Option<AccountId>,
    /// Bytes, exactly; what there is room for when not given.
    pub total_size: Option<u64>,
    /// 512, 1024, 2048 or 4096 bytes; 4096 when not given.
    pub sector_size: Option<u32>,
    /// The label in its LUKS2 header.
    pub label: Option<String>,
    /// Destroy what is there; a volume of this cluster is not.
    pub force: Option<bool>,
}

/// Parameters of `AdoptVolume`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdoptVolume {
    /// A label of 1 to 64 characters.
    pub name: String,
    /// The file or block device of the data, an absolute path.
    pub path: String,
    /// That of the header, when it lies apart from the data.
    pub header_path: Option<String>,
    /// The owner; 1 when not given.
    #[serde(rename = "accountID")]
    pub account: Option<AccountId>,
    /// In base64; not needed for a volume that a master key of this cluster opens.
    pub passphrase: Option<Passphrase>,
}

/// Parameters of `AddVolumePassphrase`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddPassphrase {
    /// The volume.
    #[serde(rename = "volumeID")]
    pub id: VolumeId,
    /// In base64.
    pub passphrase: Passphrase,
    /// How it is stretched; Argon2id when not given.
    pub pbkdf: Option<Pbkdf>,
    /// Whether every other passphrase is removed.
    pub replace: Option<bool>,
}

/// Result of `AddVolumePassphrase`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassphraseAdded {
    /// The keyslot that it opens.
    pub keyslot: u32,
    /// The keyslots of those that were removed.
    pub removed: Vec<u32>,
}

/// Parameters of `ExportVolumeKey`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct ExportKey {
    /// The volume.
    #[serde(rename = "volumeID")]
    pub id: VolumeId,
}

/// Result of `ExportVolumeKey`: what `cryptsetup --key-file` takes, as long as this master key wraps the volume.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedKey {
    /// The master key that it was derived from.
    #[serde(rename = "keyID")]
    pub key: Uuid,
    /// In base64.
    pub key_material: SecretBase64,
}

/// Parameters of `RestoreVolumeHeader`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RestoreHeader {
    /// The volume.
    #[serde(rename = "volumeID")]
    pub id: VolumeId,
    /// A backup of its header: a file that the daemon may read.
    pub path: String,
    /// Whether the header that is there may be damaged.
    pub force: Option<bool>,
}

/// Where a volume lies, and where it is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlacedVolume {
    /// Its id.
    #[serde(rename = "volumeID")]
    pub id: VolumeId,
    /// The UUID in its header.
    #[serde(rename = "volumeUUID")]
    pub uuid: Uuid,
    /// The name of its export.
    pub export: String,
    /// NBD URIs of the export.
    pub uris: Vec<String>,
    /// The file or device of the data.
    pub path: String,
    /// That of the header, when it lies apart from the data.
    pub header_path: Option<String>,
    /// The master keys that open it, or may.
    #[serde(rename = "keyIDs")]
    pub keys: Vec<Uuid>,
    /// Bytes of plaintext.
    pub total_size: u64,
    /// When it became known.
    pub created: Timestamp,
    /// Whether it is deleted and not purged yet.
    pub is_deleted: bool,
    /// Whether clients may only read.
    pub is_read_only: bool,
    /// Whether clients find it.
    pub is_open: bool,
    /// Whether its files or devices are there.
    pub is_present: bool,
}

/// Result of `CreateVolumeAt`, `AdoptVolume` and `RestoreVolumeHeader`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OnePlace {
    /// The volume.
    pub volume_place: PlacedVolume,
}

/// Result of `ListVolumePlaces`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AllPlaces {
    /// In the order of their ids.
    pub volume_places: Vec<PlacedVolume>,
}
