//! The model's volumes lie nowhere.

use ekm_bridge::rpc::ErrorName;
use ekm_bridge::rpc::control::{Outcome, Places};
use ekm_bridge::rpc::types::VolumeId;
use ekm_bridge::rpc::types::places::{
    AddPassphrase, AdoptVolume, CreateVolumeAt, ExportedKey, PassphraseAdded, PlacedVolume, RestoreHeader, SecretBase64,
};
use uuid::Uuid;

use super::{Model, fail};

impl Places for Model {
    fn create_volume_at(&self, new: CreateVolumeAt) -> Outcome<PlacedVolume> {
        fail(ErrorName::PlaceNotPermitted, format!("the model has no {}", new.path))
    }

    fn adopt_volume(&self, order: AdoptVolume) -> Outcome<PlacedVolume> {
        match order.passphrase {
            Some(_) => fail(ErrorName::PassphraseWrong, "the model knows no passphrase"),
            None => fail(ErrorName::KeyUnavailable, format!("the model has no {}", order.path)),
        }
    }

    fn volume_places(&self) -> Outcome<Vec<PlacedVolume>> {
        Ok(Vec::new())
    }

    fn add_passphrase(&self, order: AddPassphrase) -> Outcome<PassphraseAdded> {
        let removed = if order.replace == Some(true) { vec![1] } else { Vec::new() };
        Ok(PassphraseAdded { keyslot: 2, removed })
    }

    fn export_key(&self, _id: VolumeId) -> Outcome<ExportedKey> {
        Ok(ExportedKey { key: Uuid::nil(), key_material: SecretBase64::of(&[0xa5; 32]) })
    }

    fn restore_header(&self, order: &RestoreHeader) -> Outcome<PlacedVolume> {
        fail(ErrorName::VolumeDoesNotExist, format!("there is no volume {}", order.id))
    }
}
