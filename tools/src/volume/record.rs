//! A volume that was just made or opened, and what the registry keeps of it.

use ekm_bridge::{UnixSeconds, VolumeRecord};
use keywrap::keys::KeyId;
use keywrap::volume::Opened;

use super::places::Places;

/// An open volume and the master key that opens it.
pub(crate) struct Volume {
    /// Where it lies.
    pub(crate) places: Places,
    /// The master key.
    pub(crate) key_id: KeyId,
    /// The data key and the data segment.
    pub(crate) opened: Opened,
}

impl Volume {
    /// What the registry keeps.
    pub(crate) fn record(&self) -> VolumeRecord {
        VolumeRecord {
            uuid: self.opened.uuid,
            path: self.places.data.path.clone(),
            header: self.places.detached_header_path(),
            key_id: self.key_id,
            created: UnixSeconds::now(),
            last_opened: None,
            export: None,
        }
    }
}
