//! The cluster itself: its name and addresses, who may use its API, and its software encryption.

use std::collections::BTreeSet;
use std::fmt;

use keywrap::keys::KeyId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::async_results::AsyncHandle;
use super::id::Only;
use super::record::Record;
use crate::time::UnixSeconds;

/// The one record of a cluster, under `cluster/only`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Its id, made with it.
    pub uuid: Uuid,
    /// The address for its API, as it was given.
    pub mvip: String,
    /// The address for its data, as it was given.
    pub svip: String,
    /// When it was made.
    pub created: UnixSeconds,
    /// Software encryption at rest.
    pub encryption: SoftwareEncryption,
    /// Who may use the API, each name once.
    pub users: Vec<ApiUser>,
    /// What the maker of the cluster attached to it.
    pub attributes: serde_json::Map<String, serde_json::Value>,
}

/// Software encryption at rest. It is chosen when the cluster is made, and never switched off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftwareEncryption {
    /// Whether it is on.
    pub enabled: bool,
    /// Grows by one with each switching on; 0 before the first.
    pub version: u32,
    /// The master key that is in force.
    pub master_key: Option<KeyId>,
    /// Grows by one whenever another master key comes into force.
    #[serde(default)]
    pub generation: u64,
    /// The result of the running or the last rekey.
    pub rekey: Option<AsyncHandle>,
    /// Days after which an internal master key is replaced; never, when there is no number.
    #[serde(default)]
    pub rotation_days: Option<u32>,
}

/// A user of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiUser {
    /// The name to log in with.
    pub name: String,
    /// What the password is checked against.
    pub password: PasswordHash,
    /// What the user may do, in the words of the API (`administrator`, `read`, `drives`, …).
    pub roles: BTreeSet<String>,
}

/// An Argon2id hash in PHC string format (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`). No `Debug` of its text: a hash is
/// something to guess passwords with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PasswordHash(String);

/// The text is no Argon2id hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not an Argon2id hash in PHC string format")]
pub struct NotArgon2id;

impl PasswordHash {
    /// The text, for whoever checks a password.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PasswordHash {
    type Error = NotArgon2id;

    fn try_from(text: String) -> Result<Self, NotArgon2id> {
        let parts: Vec<&str> = text.split('$').collect();
        match parts.as_slice() {
            ["", "argon2id", "v=19", parameters, salt, hash]
                if parameters.starts_with("m=") && !salt.is_empty() && !hash.is_empty() =>
            {
                Ok(Self(text))
            }
            _ => Err(NotArgon2id),
        }
    }
}

impl From<PasswordHash> for String {
    fn from(hash: PasswordHash) -> Self {
        hash.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl Cluster {
    /// The user called `name`.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<&ApiUser> {
        self.users.iter().find(|user| user.name == name)
    }

    /// Switches software encryption on with this master key; nothing happens when it is on already.
    pub fn enable_encryption(&mut self, key: KeyId) {
        if !self.encryption.enabled {
            let version = self.encryption.version.saturating_add(1);
            self.encryption = SoftwareEncryption { enabled: true, version, ..SoftwareEncryption::default() };
            self.encryption.put_in_force(key);
        }
    }
}

impl SoftwareEncryption {
    /// This master key is in force from now on.
    pub fn put_in_force(&mut self, key: KeyId) {
        self.master_key = Some(key);
        self.generation = self.generation.saturating_add(1);
    }
}

impl Record for Cluster {
    const KIND: &'static str = "cluster";
    type Id = Only;

    fn id(&self) -> Only {
        Only
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2g";

    #[test]
    fn only_argon2id_hashes_are_taken_and_none_is_printed() {
        let hash = PasswordHash::try_from(HASH.to_owned()).unwrap();
        assert_eq!(hash.as_str(), HASH);
        assert!(!format!("{hash:?}").contains("c2FsdHNhbHQ"));
        for bad in ["", "secret", "$argon2i$v=19$m=8,t=1,p=1$a$b", "$argon2id$v=19$m=8,t=1,p=1$a", "$2b$12$abc"] {
            assert_eq!(PasswordHash::try_from(bad.to_owned()), Err(NotArgon2id), "{bad}");
            serde_json::from_value::<PasswordHash>(bad.into()).unwrap_err();
        }
    }

    #[test]
    fn the_version_grows_with_each_switching_on_and_not_otherwise() {
        let mut cluster = Cluster {
            name: "c".into(),
            uuid: Uuid::nil(),
            mvip: "m".into(),
            svip: "s".into(),
            created: UnixSeconds(1),
            encryption: SoftwareEncryption::default(),
            users: Vec::new(),
            attributes: serde_json::Map::new(),
        };
        let (one, two) = (KeyId::random(), KeyId::random());
        cluster.enable_encryption(one);
        cluster.enable_encryption(two);
        assert_eq!((cluster.encryption.version, cluster.encryption.master_key), (1, Some(one)));
    }
}
