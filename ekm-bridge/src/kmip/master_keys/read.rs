//! Getting a key's bytes.

use keywrap::keys::MasterKey;
use keywrap::secret::Secret;

use super::{Found, KeyName, MasterKeys};
use crate::kmip::client::Exchange;
use crate::kmip::enums::{CryptographicAlgorithm, KeyFormatType, ObjectType, Operation};
use crate::kmip::error::{ErrorKind, KmipError};
use crate::kmip::id::UniqueId;
use crate::kmip::key_block::KeyBlock;
use crate::kmip::ops::Get;

/// The formats whose material is the bytes of the key.
const PLAIN: [KeyFormatType; 3] = [KeyFormatType::RAW, KeyFormatType::OPAQUE, KeyFormatType::TRANSPARENT_SYMMETRIC_KEY];

impl<E: Exchange> MasterKeys<E> {
    /// Finds the key called `name` and gets its bytes, whatever state it is in: an old key is needed until the last
    /// volume has been rewrapped.
    ///
    /// # Errors
    /// `Absent` when the search was carried out and found nothing, or the key is destroyed; any other kind.
    pub fn key(&mut self, name: &KeyName) -> Result<(Found, MasterKey), KmipError> {
        match self.find(name)? {
            Some(found) if found.is_live() => {
                let key = self.get(&found.id)?;
                Ok((found, key))
            }
            Some(found) => Err(self.absent(format!("the key {} was destroyed", found.id))),
            None => Err(self.absent(format!("there is no object called {}", name.name()))),
        }
    }

    /// The bytes of the key that the server calls `id`.
    ///
    /// # Errors
    /// `Absent`, when the server has no such object; `Malformed`, when it is no 256-bit key in clear; any other kind
    /// but `Ambiguous` and `ReplyLost`.
    pub fn get(&mut self, id: &UniqueId) -> Result<MasterKey, KmipError> {
        let object = self.client.call(&Get { object: Some(id.clone()), format: None, wrapping: None })?;
        if object.id != *id {
            return Err(self.unusable(id, format!("the server gave out {} instead", object.id)));
        }
        let usable = matches!(object.object_type, ObjectType::SYMMETRIC_KEY | ObjectType::SECRET_DATA);
        match object.key {
            Some(key) if usable => plain(&key).map_err(|what| self.unusable(id, what)),
            _ => Err(self.unusable(id, format!("it is a {}", object.object_type))),
        }
    }

    fn absent(&self, message: String) -> KmipError {
        self.error(ErrorKind::Absent, Operation::LOCATE, message)
    }

    fn unusable(&self, id: &UniqueId, what: String) -> KmipError {
        let message = format!("the object {id} is no 256-bit AES key in clear: {what}");
        self.error(ErrorKind::Malformed, Operation::GET, message)
    }
}

fn plain(key: &KeyBlock) -> Result<MasterKey, String> {
    if let Some(wrapping) = &key.wrapping {
        return Err(format!("the server wrapped it ({})", wrapping.method));
    }
    if !PLAIN.contains(&key.format) {
        return Err(format!("its format is {}", key.format));
    }
    if let Some(other) = key.algorithm.filter(|algorithm| *algorithm != CryptographicAlgorithm::AES) {
        return Err(format!("it is for {other}"));
    }
    let bytes = key.material.expose_secret();
    Secret::copy_from(bytes).map(MasterKey).ok_or_else(|| format!("it has {} bytes", bytes.len()))
}
