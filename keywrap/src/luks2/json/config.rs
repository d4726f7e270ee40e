//! The section `config` (LUKS2 spec, section 3.6).

use super::object::Fields;
use super::{BadMetadata, Object};

/// Sizes of the metadata, activation flags and requirements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Length of one JSON area in bytes.
    pub json_size: u64,
    /// Length of the space for keyslot areas in bytes.
    pub keyslots_size: u64,
    /// Persistent activation flags, such as `allow-discards`.
    pub flags: Vec<String>,
    /// What a program must understand before it may touch the volume.
    pub mandatory: Vec<String>,
    /// Members of `requirements` that the specification does not have.
    pub requirements_rest: Object,
    /// Members that the specification does not have.
    pub rest: Object,
}

impl Config {
    /// The flag that lets discards pass to the device below.
    pub const ALLOW_DISCARDS: &'static str = "allow-discards";

    /// Whether discards may pass to the device below.
    #[must_use]
    pub fn allow_discards(&self) -> bool {
        self.flags.iter().any(|flag| flag == Self::ALLOW_DISCARDS)
    }

    /// Sets or clears the flag; the other flags stay.
    pub fn set_allow_discards(&mut self, on: bool) {
        self.flags.retain(|flag| flag != Self::ALLOW_DISCARDS);
        if on {
            self.flags.push(Self::ALLOW_DISCARDS.to_owned());
        }
    }

    pub(super) fn read(mut fields: Fields) -> Result<Self, BadMetadata> {
        let mut config = Self {
            json_size: fields.uint64("json_size")?,
            keyslots_size: fields.uint64("keyslots_size")?,
            ..Self::default()
        };
        if fields.has("flags") {
            config.flags = fields.strings("flags")?;
        }
        if fields.has("requirements") {
            let mut requirements = fields.object("requirements")?;
            if requirements.has("mandatory") {
                config.mandatory = requirements.strings("mandatory")?;
            }
            config.requirements_rest = requirements.rest();
        }
        config.rest = fields.rest();
        Ok(config)
    }

    pub(super) fn to_object(&self) -> Object {
        let mut object = self.rest.clone();
        object.put_u64("json_size", self.json_size);
        object.put_u64("keyslots_size", self.keyslots_size);
        if !self.flags.is_empty() {
            object.put_strings("flags", &self.flags);
        }
        let mut requirements = self.requirements_rest.clone();
        if !self.mandatory.is_empty() {
            requirements.put_strings("mandatory", &self.mandatory);
        }
        if !requirements.is_empty() {
            object.put_object("requirements", &requirements);
        }
        object
    }
}
