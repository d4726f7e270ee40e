//! What master keys are called on a server.

use keywrap::keys::KeyId;
use uuid::Uuid;

use crate::kmip::attributes::Attribute;

/// The names of one master key. The server adds a Unique Identifier of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyName {
    /// The cluster that the key belongs to.
    pub cluster: Uuid,
    /// The key.
    pub key: KeyId,
}

impl KeyName {
    /// The attribute Name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("sear/{}/{}", self.cluster, self.key)
    }

    /// The name of the custom attribute, without the `x-` that KMIP 1.x puts in front. Tools that know the Element
    /// contract search by it.
    #[must_use]
    pub fn custom(&self) -> String {
        format!("SolidFire-KeyID-{}", self.key)
    }

    /// The value of the custom attribute.
    #[must_use]
    pub fn custom_value(&self) -> String {
        self.key.to_string()
    }

    pub(super) fn name_attribute(&self) -> Attribute {
        Attribute::name(&self.name())
    }

    pub(super) fn custom_attribute(&self) -> Attribute {
        Attribute::custom(&self.custom(), &self.custom_value())
    }
}
