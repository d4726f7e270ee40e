//! The node root key, which wraps the internal provider's master keys, and where it comes from.
//!
//! A [`RootKeySource`] either has the key or can make it once. The source that exists is a file that only its owner can
//! read: it protects against a lost data disk, not against whoever takes the state directory too. Two stronger
//! sources are meant to join behind the same trait: a TPM 2.0 (the key sealed to the machine, `create` seals, `load`
//! unseals) and a passphrase (Argon2id over it, asked for at `load`).

use std::io;
use std::path::{Path, PathBuf};

use keywrap::secret::Secret;

use crate::private_file::{self, NotPrivate};

const LEN: usize = 32;

/// A 256-bit key-encryption key for AES-256-KW (RFC 3394).
pub struct RootKey(pub(super) Secret<LEN>);

/// Where the root key of a node is kept.
pub trait RootKeySource: Send + Sync {
    /// The place in words, for messages.
    fn describe(&self) -> String;

    /// The key.
    ///
    /// # Errors
    /// [`RootKeyError::Absent`] when none was ever made here, or another error when there is one that cannot be used.
    fn load(&self) -> Result<RootKey, RootKeyError>;

    /// Makes a random key, durable when this returns, and never in the place of an existing one.
    ///
    /// # Errors
    /// [`RootKeyError::Exists`] when there is one already.
    fn create(&self) -> Result<RootKey, RootKeyError>;
}

/// Why there is no root key.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// None was ever made at this place, or it was taken away.
    #[error("there is no root key at {0}")]
    Absent(PathBuf),
    /// One is there already.
    #[error("there is a root key at {0} already")]
    Exists(PathBuf),
    /// Others can read or change it.
    #[error("refusing the root key {path}: {reason}")]
    NotPrivate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: NotPrivate,
    },
    /// It is not a key.
    #[error("the root key {path} is not exactly {LEN} bytes long; restore it from a backup")]
    Length {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {doing} the root key {path}: {source}")]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The system's random generator failed.
    #[error("the operating system gave no randomness for a root key")]
    NoRandomness,
}

/// The root key as a file of exactly 32 bytes that only its owner can read.
#[derive(Clone, Debug)]
pub struct RootKeyFile {
    path: PathBuf,
}

impl RootKeyFile {
    /// The source that keeps the key at `path`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where the key lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn io(&self, doing: &'static str, source: io::Error) -> RootKeyError {
        let path = self.path.clone();
        match source.kind() {
            io::ErrorKind::NotFound => RootKeyError::Absent(path),
            io::ErrorKind::AlreadyExists => RootKeyError::Exists(path),
            _ => RootKeyError::Io { doing, path, source },
        }
    }

    fn length(&self) -> RootKeyError {
        RootKeyError::Length { path: self.path.clone() }
    }
}

impl RootKeySource for RootKeyFile {
    fn describe(&self) -> String {
        self.path.display().to_string()
    }

    fn load(&self) -> Result<RootKey, RootKeyError> {
        let file = private_file::open_no_follow(&self.path).map_err(|error| self.io("open", error))?;
        let meta = file.metadata().map_err(|error| self.io("open", error))?;
        let not_private = |reason| RootKeyError::NotPrivate { path: self.path.clone(), reason };
        private_file::check_file(&meta).map_err(not_private)?;
        if meta.len() != u64::try_from(LEN).map_err(|_| self.length())? {
            return Err(self.length());
        }
        Secret::try_fill(|bytes: &mut [u8; LEN]| match private_file::read_limited(&file, bytes) {
            Ok(LEN) => Ok(()),
            Ok(_) => Err(self.length()),
            Err(error) => Err(self.io("read", error)),
        })
        .map(RootKey)
    }

    fn create(&self) -> Result<RootKey, RootKeyError> {
        let key = Secret::<LEN>::random().map_err(|_| RootKeyError::NoRandomness)?;
        private_file::create(&self.path, key.expose_secret()).map_err(|error| self.io("create", error))?;
        Ok(RootKey(key))
    }
}
