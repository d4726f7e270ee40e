//! A new volume: a fresh volume key, one keyslot under a master key, one token.

use uuid::Uuid;

use super::error::VolumeError;
use super::seal::{FEW_ITERATIONS, HASH, area_len, context, derived_key_cost, random_salt, seal};
use super::unlock::{Opened, unlock_with_master};
use crate::derive;
use crate::geometry::SectorSize;
use crate::keys::{BadVolumeKey, KeyId, MasterKey, VolumeKey};
use crate::luks2::binary::{HeaderSize, Name48, UuidText};
use crate::luks2::create::create as write_first;
use crate::luks2::digest::Digest;
use crate::luks2::header::CheckedHeader;
use crate::luks2::json::{self, Config, CryptSegment, DigestKind, Metadata, Object, Pbkdf2Digest};
use crate::luks2::json::{Segment, SegmentKind, SegmentSize};
use crate::luks2::mac;
use crate::luks2::select::{Copies, Refusal};
use crate::luks2::supported::{CIPHER, data_segment};
use crate::luks2::token::SearToken;
use crate::medium::Medium;

/// Where the data begins unless asked otherwise, and how long a detached header is, in bytes: 16 MiB, as cryptsetup.
pub const DEFAULT_DATA_OFFSET: u64 = 16 << 20;

/// The numbers of everything in a new header.
const FIRST: u32 = 0;

/// What a new volume is to be.
#[derive(Clone, Debug)]
pub struct CreateOptions {
    /// Size of one XTS data unit; 4096 by default.
    pub sector_size: SectorSize,
    /// Where the ciphertext begins on the data device, in bytes; 16 MiB by default. 0 when the header is detached and
    /// the data device holds nothing but ciphertext.
    pub data_offset: u64,
    /// Size of one copy of the metadata in bytes, one of LUKS2's; 16 KiB by default.
    pub header_size: u64,
    /// The volume's UUID; a random one by default.
    pub uuid: Option<Uuid>,
    /// Label, at most 47 bytes.
    pub label: Option<String>,
    /// Subsystem label, at most 47 bytes.
    pub subsystem: Option<String>,
    /// Whether discards may pass to the device below; they tell an observer which sectors are unused.
    pub allow_discards: bool,
    /// Write over a LUKS header that is there already. Whatever it opened is lost.
    pub overwrite: bool,
}

impl Default for CreateOptions {
    fn default() -> Self {
        Self {
            sector_size: SectorSize::B4096,
            data_offset: DEFAULT_DATA_OFFSET,
            header_size: HeaderSize::DEFAULT.bytes(),
            uuid: None,
            label: None,
            subsystem: None,
            allow_discards: false,
            overwrite: false,
        }
    }
}

/// Makes a new volume and opens it from what was written. `data_len` is the length in bytes of the device that holds
/// the data. The data segment reaches to the end of that device, however it grows (size `dynamic`).
///
/// Until the last sector is written nothing on the medium looks like a volume. Other contents of the medium are not
/// looked for: the caller does that.
///
/// # Errors
/// [`VolumeError::AlreadyAVolume`] unless [`CreateOptions::overwrite`]; [`VolumeError::Invalid`] for sizes that do not
/// fit, before anything is written; and those of writing the header.
pub fn create(
    header: &dyn Medium,
    data_len: u64,
    options: &CreateOptions,
    key_id: KeyId,
    master: &MasterKey,
) -> Result<Opened, VolumeError> {
    if !options.overwrite && !matches!(Copies::read(header).decide(), Err(Refusal::NotLuks)) {
        return Err(VolumeError::AlreadyAVolume);
    }
    let volume_key = new_volume_key()?;
    let mut first = CheckedHeader {
        size: header_size(options)?,
        seqid: 1,
        label: name("label", options.label.as_deref())?,
        subsystem: name("subsystem", options.subsystem.as_deref())?,
        uuid: UuidText::from(options.uuid.unwrap_or_else(Uuid::new_v4)),
        metadata: metadata(header, options, &volume_key)?,
    };
    data_segment(&first.metadata, data_len)?;
    let mut token =
        SearToken { keyslot: FIRST, key_id, salt: random_salt()?, mac: mac::Mac::default(), rest: Object::default() };
    let uuid = first.uuid.as_str();
    let passphrase = derive::keyslot_key(master, context(&token, uuid));
    let mac_key = derive::mac_key(master, context(&token, uuid));
    let offset = first.size.both_copies();
    let sealed = seal(FIRST, offset, &volume_key, passphrase.0.expose_secret(), derived_key_cost())?;
    first.metadata.keyslots.insert(FIRST, sealed.keyslot);
    first.metadata.digests.insert(FIRST, new_digest(&volume_key)?);
    mac::seal(&mac_key, &first.uuid, &first.metadata, &mut token)?;
    first.metadata.tokens.insert(FIRST, token.to_token());
    write_first(header, &first, &[(offset, &sealed.bytes)])?;
    unlock_with_master(header, data_len, key_id, master)
}

/// Everything but keyslot, digest and token.
fn metadata(header: &dyn Medium, options: &CreateOptions, key: &VolumeKey) -> Result<Metadata, VolumeError> {
    let size = header_size(options)?;
    let offset = options.data_offset;
    let unit = u64::from(options.sector_size.bytes());
    if !offset.is_multiple_of(unit) {
        return Err(invalid("the data offset", offset, format!("a multiple of the sector size, {unit}, is needed")));
    }
    let mut config = Config {
        json_size: size.json_bytes(),
        keyslots_size: keyslots_size(header, size, offset, area_len(key))?,
        ..Config::default()
    };
    config.set_allow_discards(options.allow_discards);
    let crypt =
        CryptSegment { iv_tweak: 0, encryption: CIPHER.to_owned(), sector_size: options.sector_size, integrity: None };
    let segment = Segment {
        offset,
        size: SegmentSize::Dynamic,
        flags: Vec::new(),
        kind: SegmentKind::Crypt(crypt),
        rest: Object::default(),
    };
    Ok(Metadata {
        keyslots: [].into(),
        tokens: [].into(),
        segments: [(FIRST, segment)].into(),
        digests: [].into(),
        config,
        rest: Object::default(),
    })
}

/// The space for keyslots: from the second copy to the data, or to 16 MiB where the data lies elsewhere.
fn keyslots_size(header: &dyn Medium, size: HeaderSize, data: u64, area: u64) -> Result<u64, VolumeError> {
    let medium = header.len().map_err(VolumeError::io("measuring the header medium"))?;
    let end = if data == 0 { DEFAULT_DATA_OFFSET.max(size.both_copies() + area) } else { data };
    let least = size.both_copies() + area;
    if end < least {
        return Err(invalid("the data offset", data, format!("header and one keyslot need {least} bytes before it")));
    }
    let end = end.min(medium);
    if end < least {
        return Err(invalid("the header medium's length", medium, format!("{least} bytes are needed")));
    }
    let space = (end - size.both_copies()).min(json::MAX_KEYSLOTS_SIZE);
    Ok(space - space % json::AREA_ALIGN)
}

fn header_size(options: &CreateOptions) -> Result<HeaderSize, VolumeError> {
    let bytes = options.header_size;
    let rule = || "a power of two from 16384 (16 KiB) to 4194304 (4 MiB) is needed".to_owned();
    HeaderSize::from_bytes(bytes).ok_or_else(|| invalid("the header size", bytes, rule()))
}

fn name(what: &'static str, text: Option<&str>) -> Result<Name48, VolumeError> {
    let text = text.unwrap_or_default();
    let too_long = || invalid(what, text.len() as u64, "at most 47 bytes without a zero byte are possible".to_owned());
    Name48::new(text).ok_or_else(too_long)
}

fn new_volume_key() -> Result<VolumeKey, VolumeError> {
    VolumeKey::random().map_err(|bad| match bad {
        BadVolumeKey::NoRandomness | BadVolumeKey::Length(_) | BadVolumeKey::EqualHalves => VolumeError::NoRandomness,
    })
}

fn new_digest(key: &VolumeKey) -> Result<json::Digest, VolumeError> {
    let digest = Digest::create(key.expose_secret(), random_salt()?.to_vec(), FEW_ITERATIONS);
    let digest = digest.map_err(super::recipe::in_keyslot(FIRST))?;
    Ok(json::Digest {
        keyslots: vec![FIRST],
        segments: vec![FIRST],
        kind: DigestKind::Pbkdf2(Pbkdf2Digest {
            hash: HASH.to_owned(),
            iterations: digest.iterations,
            salt: digest.salt,
            digest: digest.digest,
        }),
        rest: Object::default(),
    })
}

fn invalid(what: &'static str, value: u64, rule: String) -> VolumeError {
    VolumeError::Invalid { what, value, rule }
}
