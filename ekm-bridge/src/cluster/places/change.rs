//! Passphrases, keyslot keys, and headers that come back: of any volume, wherever it lies.

use std::collections::BTreeSet;
use std::path::Path;

use keywrap::keys::KeyId;

use crate::cluster::control::{ClusterControl, lock, read};
use crate::cluster::errors::{of_host, of_record};
use crate::cluster::host::NewPassphrase;
use crate::records::{self, Header, VolumeStatus};
use crate::rpc::control::Outcome;
use crate::rpc::types::VolumeId;
use crate::rpc::types::places::{
    AddPassphrase, ExportedKey, PassphraseAdded, Pbkdf, PlacedVolume, RestoreHeader, SecretBase64,
};
use crate::rpc::{ApiError, ErrorName};

impl ClusterControl {
    pub(super) fn new_passphrase(&self, order: AddPassphrase) -> Outcome<PassphraseAdded> {
        let volume = self.living(order.id)?;
        let _turn = self.turns.take(volume.uuid);
        let new = NewPassphrase {
            passphrase: order.passphrase.into_secret(),
            pbkdf2: order.pbkdf == Some(Pbkdf::Pbkdf2),
            replaces: order.replace == Some(true),
        };
        let add = |key: &crate::cluster::keys::Owned| {
            self.host.add_passphrase(volume.uuid, key.wrapping(), &new).map_err(of_host)
        };
        let changed = self.with_key_of(&volume, add)?;
        self.changed(&format!("Volume {} got a passphrase.", volume.id))?;
        Ok(PassphraseAdded { keyslot: changed.keyslot, removed: changed.removed })
    }

    pub(super) fn keyslot_key_of(&self, id: VolumeId) -> Outcome<ExportedKey> {
        let volume = self.living(id)?;
        let _turn = self.turns.take(volume.uuid);
        let exported = self.with_key_of(&volume, |key| {
            let keyslot_key = self.host.keyslot_key(volume.uuid, key.wrapping()).map_err(of_host)?;
            let key_material = SecretBase64::of(keyslot_key.0.expose_secret());
            Ok(ExportedKey { key: key.id.0, key_material })
        })?;
        self.changed(&format!("The keyslot key of volume {} was exported.", volume.id))?;
        Ok(exported)
    }

    /// Its record names what the backup names before the header does. Nobody is served meanwhile. A backup that no key here
    /// opens is put back only by force: the keyslots that are there now would be lost for it.
    pub(super) fn bring_header_back(&self, order: &RestoreHeader) -> Outcome<PlacedVolume> {
        let volume = self.living(order.id)?;
        {
            // No key ends that the backup brings back.
            let ends_nothing = lock(&self.ending);
            let _key_stays = read(&self.in_force);
            let _turn = self.turns.take(volume.uuid);
            let backup = Path::new(&order.path);
            let keys: BTreeSet<KeyId> =
                self.host.backup_key_ids(volume.uuid, backup).map_err(of_host)?.into_iter().collect();
            let is_forced = order.force == Some(true);
            if !is_forced && !keys.iter().any(|id| self.master_key(*id).is_ok()) {
                return Err(no_key(&volume));
            }
            let named = self.records.table::<Header>().update(volume.uuid, |header| header.keys.extend(keys.clone()));
            named.map_err(of_record)?;
            drop(ends_nothing);
            self.close(&volume)?;
            self.host.restore_header(volume.uuid, backup, is_forced).map_err(of_host)?;
            let known: Header = self.records.table().need(volume.uuid).map_err(of_record)?;
            self.read_back(&[(volume.uuid, &self.look_at(&known))])?;
            let opened = self.with_key_of(&volume, |key| self.open(&volume, key));
            if !is_forced {
                opened?;
            }
        }
        self.changed(&format!("The header of volume {} was restored.", volume.id))?;
        self.hurry_catch_up();
        self.wake_rekey();
        self.place_of(volume)
    }

    /// A volume that is not deleted.
    fn living(&self, id: VolumeId) -> Outcome<records::Volume> {
        let volume = self.volume_record(id)?;
        if volume.status == VolumeStatus::Active {
            return Ok(volume);
        }
        Err(ApiError::new(ErrorName::InvalidParameter, format!("volume {id} was deleted")))
    }
}

fn no_key(volume: &records::Volume) -> ApiError {
    let message = format!(
        "no master key that is to be had opens volume {} by this backup; its header stays as it is. With force it is put back \
         all the same, for a passphrase that is in it: adopt the volume again with that",
        volume.id
    );
    ApiError::new(ErrorName::KeyUnavailable, message)
}
