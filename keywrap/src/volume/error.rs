//! Why a verb failed: a stable kind to match on, and a message that says where and what to do.

use std::io;

use crate::keys::{BadVolumeKey, KeyId};
use crate::luks2::area::NoRoom;
use crate::luks2::json::BadMetadata;
use crate::luks2::kdf::KdfError;
use crate::luks2::keyslot::KeyslotError;
use crate::luks2::mac::BadMac;
use crate::luks2::select::Refusal;
use crate::luks2::store::StoreError;
use crate::luks2::supported::Unsupported;
use crate::luks2::token::BadToken;

/// What kind of failure it was. Programs match on this; it does not change between versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The key or passphrase is not one of this volume.
    WrongKey,
    /// The header is not what the holder of the master key wrote.
    Tampered,
    /// There is no usable header, or a part of it is damaged.
    NotAVolume,
    /// A volume that Sear does not open.
    Unsupported,
    /// The verb would destroy something, or lock the owner out.
    Refused,
    /// The arguments cannot be met: sizes, alignment, room for keyslots.
    Invalid,
    /// The medium failed, or the operating system gave no randomness or memory.
    System,
}

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub enum VolumeError {
    /// The header could not be read or changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The volume is legal, but not one that Sear opens.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// No token names this master key.
    #[error("no keyslot of this volume belongs to master key {wanted}; it has {}", list(.present))]
    NoSuchMasterKey {
        /// The master key asked for.
        wanted: KeyId,
        /// Those that the volume's tokens name.
        present: Vec<KeyId>,
    },
    /// A `sear` token cannot be read.
    #[error(transparent)]
    BadToken(#[from] BadToken),
    /// The key given is not the master key of that id, or the inputs of its derivation were changed.
    #[error("this is not master key {0} of this volume, or the token's salt or the volume's UUID was changed")]
    WrongMasterKey(KeyId),
    /// The MAC disagrees.
    #[error(transparent)]
    Tampered(#[from] BadMac),
    /// The MAC agrees, yet the area does not hold the key.
    #[error("keyslot {0} is damaged: its key is right, but its area is not; restore a header backup")]
    KeyslotDamaged(u32),
    /// No keyslot opens with the passphrase.
    #[error("no keyslot opens with this passphrase ({tried} tried){}", reasons(.skipped))]
    WrongPassphrase {
        /// How many keyslots were tried.
        tried: usize,
        /// Those that could not be tried, and why.
        skipped: Vec<KeyslotProblem>,
    },
    /// There is no keyslot that a passphrase could be tried on.
    #[error("no keyslot can be tried with a passphrase{}", reasons(.0))]
    NothingToTry(Vec<KeyslotProblem>),
    /// A keyslot could not be opened or made.
    #[error(transparent)]
    Keyslot(#[from] KeyslotProblem),
    /// The volume key given is not this volume's.
    #[error("the volume key does not belong to this volume")]
    WrongVolumeKey,
    /// A token names this master key already.
    #[error("master key {0} already has a keyslot in this volume")]
    KeyIdInUse(KeyId),
    /// The last keyslot stays.
    #[error("keyslot {0} is the last one that opens this volume; add another first, or erase the volume")]
    LastKeyslot(u32),
    /// There is no such keyslot.
    #[error("this volume has no keyslot {0}")]
    NoSuchKeyslot(u32),
    /// All numbers for keyslots or tokens are taken.
    #[error("all {0} of this volume are in use; remove one first")]
    Full(&'static str),
    /// No room for another keyslot area.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// The change would break the MAC of tokens whose master keys were not given.
    #[error("the change needs the master keys of all tokens, also of {}; finish the rekey first", list(.0))]
    OtherMasterKeys(Vec<KeyId>),
    /// There is a LUKS header already.
    #[error("the medium already holds a LUKS header; nothing was written")]
    AlreadyAVolume,
    /// An option or a size that does not fit.
    #[error("{what} is {value}, but {rule}")]
    Invalid {
        /// What was given.
        what: &'static str,
        /// Its value.
        value: u64,
        /// What it must be.
        rule: String,
    },
    /// The backup and the device disagree.
    #[error("the header was not restored: {0}; force it only if you are sure")]
    RestoreRefused(String),
    /// A medium other than the header's store failed.
    #[error("{action} failed: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// The medium's error.
        source: io::Error,
    },
    /// The random generator failed.
    #[error("the operating system gave no randomness for a new key")]
    NoRandomness,
}

/// What is wrong with one keyslot.
#[derive(Debug, thiserror::Error)]
pub enum KeyslotProblem {
    /// An unknown type.
    #[error("keyslot {0} is of type {1:?}, which only its own program can open")]
    Type(u32, String),
    /// A cipher other than aes-xts-plain64.
    #[error("keyslot {0} is encrypted with {1:?}; only aes-xts-plain64 is supported")]
    Cipher(u32, String),
    /// A hash that Sear does not implement.
    #[error("keyslot {0} or its digest uses hash {1:?}; sha1, sha224, sha256, sha384 and sha512 are supported")]
    Hash(u32, String),
    /// No digest that could tell its key.
    #[error("keyslot {0} has no digest of type pbkdf2 for the data segment")]
    NoDigest(u32),
    /// Parameters outside the limits, or no resources.
    #[error("keyslot {0}: {1}")]
    Crypto(u32, #[source] KeyslotError),
    /// What it holds is not a volume key.
    #[error("keyslot {0}: {1}")]
    Key(u32, #[source] BadVolumeKey),
}

impl VolumeError {
    /// The kind to match on.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoSuchMasterKey { .. }
            | Self::WrongMasterKey(_)
            | Self::WrongPassphrase { .. }
            | Self::WrongVolumeKey => ErrorKind::WrongKey,
            Self::Tampered(_) => ErrorKind::Tampered,
            Self::BadToken(_) | Self::KeyslotDamaged(_) => ErrorKind::NotAVolume,
            Self::Unsupported(_) | Self::NothingToTry(_) => ErrorKind::Unsupported,
            Self::Keyslot(problem) => keyslot_kind(problem),
            Self::LastKeyslot(_)
            | Self::OtherMasterKeys(_)
            | Self::AlreadyAVolume
            | Self::KeyIdInUse(_)
            | Self::RestoreRefused(_) => ErrorKind::Refused,
            Self::NoSuchKeyslot(_) | Self::Full(_) | Self::NoRoom(_) | Self::Invalid { .. } => ErrorKind::Invalid,
            Self::Io { .. } | Self::NoRandomness => ErrorKind::System,
            Self::Store(error) => store_kind(error),
        }
    }
}

fn keyslot_kind(problem: &KeyslotProblem) -> ErrorKind {
    match problem {
        KeyslotProblem::Crypto(_, KeyslotError::NoRandomness(_) | KeyslotError::Kdf(KdfError::OutOfMemory(_))) => {
            ErrorKind::System
        }
        _ => ErrorKind::Unsupported,
    }
}

fn store_kind(error: &StoreError) -> ErrorKind {
    match error {
        StoreError::Refused(_) => ErrorKind::NotAVolume,
        StoreError::Unsupported(_) => ErrorKind::Unsupported,
        StoreError::PrimaryOverwritten => ErrorKind::Refused,
        StoreError::BadMetadata(_)
        | StoreError::SeqidExhausted
        | StoreError::AreaInUse(..)
        | StoreError::AreaOutside(_) => ErrorKind::Invalid,
        _ => ErrorKind::System,
    }
}

impl From<Refusal> for VolumeError {
    fn from(refusal: Refusal) -> Self {
        Self::Store(refusal.into())
    }
}

impl From<BadMetadata> for VolumeError {
    fn from(bad: BadMetadata) -> Self {
        Self::Store(bad.into())
    }
}

impl From<getrandom::Error> for VolumeError {
    fn from(_: getrandom::Error) -> Self {
        Self::NoRandomness
    }
}

impl VolumeError {
    /// Names what was being done when a medium failed.
    pub(super) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }
}

fn list(ids: &[KeyId]) -> String {
    match ids {
        [] => "none of Sear's keyslots".to_owned(),
        ids => ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn reasons(skipped: &[KeyslotProblem]) -> String {
    skipped.iter().map(|problem| format!("; {problem}")).collect()
}
