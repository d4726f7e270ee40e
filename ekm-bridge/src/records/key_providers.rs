//! Key providers: what hands out master keys, over one or more key servers that hold the same keys.

use serde::{Deserialize, Serialize};

use super::id::counted_id;
use super::record::Record;

counted_id! {
    /// Given by the cluster, and never changed.
    pub KeyProviderId
}

/// One provider. Its servers are those that name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyProviderRecord {
    /// Its id.
    pub id: KeyProviderId,
    /// A label for people; several may have the same.
    pub name: String,
    /// Whether keys that it made are outstanding. [`super::KeyManagement`] keeps this true to the master keys.
    pub active: bool,
    /// Days after which a master key of it is replaced; never, when there is no number.
    #[serde(default)]
    pub rotation_days: Option<u32>,
}

impl Record for KeyProviderRecord {
    const KIND: &'static str = "key-provider";
    type Id = KeyProviderId;

    fn id(&self) -> KeyProviderId {
        self.id
    }
}
