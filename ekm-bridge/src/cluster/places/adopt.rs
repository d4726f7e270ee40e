//! Taking on a LUKS2 volume that is there.

use std::collections::BTreeSet;

use keywrap::keys::KeyId;

use super::create::FIRST_ACCOUNT;
use super::settle::Arrival;
use super::site_of;
use crate::cluster::control::{ClusterControl, lock, read};
use crate::cluster::errors::{of_host, of_record};
use crate::cluster::host::{Found, HostErrorKind};
use crate::cluster::keys::Owned;
use crate::cluster::volumes::check_account;
use crate::records::{self, Header, Site, VolumeStatus};
use crate::rpc::control::Outcome;
use crate::rpc::types::places::{AdoptVolume, Passphrase, PlacedVolume};
use crate::rpc::{ApiError, ErrorName};

impl ClusterControl {
    /// One that is known at this place already is answered as it is.
    pub(super) fn adopt(&self, order: AdoptVolume) -> Outcome<PlacedVolume> {
        let account = order.account.map_or(FIRST_ACCOUNT, |account| account.0);
        check_account(account)?;
        let site = site_of(&order.path, order.header_path.as_deref())?;
        // No key ends that is just being found to open a volume.
        let ends_nothing = lock(&self.ending);
        let _key_stays = read(&self.in_force);
        let in_force = self.key_in_force()?;
        let found = self.host.find(&site).map_err(of_host)?;
        if let Some(known) = self.volume_with(found.uuid)? {
            return self.known_already(known, &found, order.passphrase.as_ref().map(|given| (given, &in_force)));
        }
        self.refuse_too_many_volumes(account)?;
        let opens = found.keys.iter().find_map(|id| self.master_key(*id).ok());
        if opens.is_none() && order.passphrase.is_none() {
            return Err(no_key(&found));
        }
        let named = found.keys.iter().copied();
        let keys: BTreeSet<KeyId> =
            if opens.is_some() { named.collect() } else { named.chain([in_force.id]).collect() };
        let planned = self.announce_arrival(
            &Arrival {
                uuid: found.uuid,
                name: order.name,
                account,
                size: found.size,
                small_sectors: found.sector_size == 512,
                site: &found.site,
                keys,
            },
            opens.is_none().then_some(in_force.id),
        )?;
        drop(ends_nothing);
        let _turn = self.turns.take(planned.uuid);
        let key = opens.as_ref().unwrap_or(&in_force);
        let passphrase = order.passphrase.as_ref().filter(|_| opens.is_none());
        let given = passphrase.map_or(Ok(()), |passphrase| self.give_key(&planned, passphrase, key));
        let taken = given.and_then(|()| self.arrive(&planned, key));
        let taken = taken.inspect_err(|_| self.settle_after_failure(&planned))?;
        self.changed(&format!("Volume {} at {} was adopted.", taken.id, found.site.data.display()))?;
        // One that an older key opens follows to the key in force.
        self.hurry_catch_up();
        self.wake_rekey();
        self.place_of(taken)
    }

    fn give_key(&self, planned: &records::Volume, passphrase: &Passphrase, key: &Owned) -> Outcome<()> {
        let given = self.host.adopt(planned.uuid, passphrase.expose_secret(), key.wrapping());
        given.map_err(|error| match error.kind {
            HostErrorKind::WrongKey => ApiError::new(ErrorName::PassphraseWrong, error.message),
            _ => of_host(error),
        })
    }

    /// One that is not where it was has been moved. One that is there, too, has been copied.
    fn known_already(
        &self,
        known: records::Volume,
        found: &Found,
        given: Option<(&Passphrase, &Owned)>,
    ) -> Outcome<PlacedVolume> {
        if known.status != VolumeStatus::Active {
            let message = format!("it is volume {} of this cluster, which was deleted and is not purged yet", known.id);
            return Err(ApiError::new(ErrorName::PlaceOccupied, message));
        }
        let in_data = || known.path.clone().map(|data| Site { data, header: None });
        let place = known.site.clone().or_else(in_data);
        let is_here = place.is_some_and(|place| self.host.is_same_place(&place, &found.site));
        if is_here && known.path.is_some() {
            if let Some((passphrase, key)) = given.filter(|_| self.is_without_key(found)) {
                self.give_key_again(&known, passphrase, key)?;
            }
            return self.place_of(known);
        }
        if known.path.is_some() && self.is_not_where_it_was(&known) {
            return self.place_of(self.move_to(&known, found)?);
        }
        let at = known.path.map_or_else(String::new, |path| format!(", at {}", path.display()));
        let message = format!("it has the UUID of volume {} of this cluster{at}; is it a copy?", known.id);
        Err(ApiError::new(ErrorName::PlaceOccupied, message))
    }

    fn is_without_key(&self, found: &Found) -> bool {
        !found.keys.iter().any(|id| self.master_key(*id).is_ok())
    }

    /// A volume whose header came back from before its keys were replaced gets the key in force once more.
    fn give_key_again(&self, known: &records::Volume, passphrase: &Passphrase, key: &Owned) -> Outcome<()> {
        let header: Header = self.records.table().need(known.uuid).map_err(of_record)?;
        self.announce(std::slice::from_ref(&header), key.id)?;
        let _turn = self.turns.take(known.uuid);
        self.give_key(known, passphrase, key)?;
        self.read_back(&[(known.uuid, &self.look_at(&header))])?;
        self.open(known, key)
    }

    /// Whether its place holds another volume, or nothing.
    pub(super) fn is_not_where_it_was(&self, known: &records::Volume) -> bool {
        self.host.key_ids(known.uuid).is_err_and(|error| error.kind == HostErrorKind::Absent)
    }

    /// A known volume lies elsewhere now. One that is open goes on: what was moved is still the same file.
    pub(super) fn move_to(&self, known: &records::Volume, found: &Found) -> Outcome<records::Volume> {
        let _turn = self.turns.take(known.uuid);
        let moved = self.records.table::<records::Volume>().update(known.id, |volume| {
            volume.site = Some(found.site.clone());
            volume.path = Some(found.site.data.clone());
        });
        let moved = moved.map_err(of_record)?;
        self.host.place(moved.uuid, &found.site);
        self.changed(&format!("Volume {} was found at {}.", moved.id, found.site.data.display()))?;
        if !self.host.is_open(moved.uuid) {
            self.with_key_of(&moved, |key| self.open(&moved, key))?;
        }
        Ok(moved)
    }
}

fn no_key(found: &Found) -> ApiError {
    let (path, names) = (found.site.of_header().display(), found.keys.iter().map(KeyId::to_string).collect::<Vec<_>>());
    let message = if names.is_empty() {
        format!("no master key opens the volume at {path}; adopt it with its passphrase")
    } else {
        let names = names.join(" or ");
        format!(
            "the volume at {path} needs master key {names}, which is not to be had here; adopt it with its passphrase"
        )
    };
    ApiError::new(ErrorName::KeyUnavailable, message)
}
