//! Making a volume at a place of its own.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::settle::Arrival;
use super::site_of;
use crate::cluster::control::{ClusterControl, read};
use crate::cluster::errors::of_host;
use crate::cluster::host::NewPlaced;
use crate::cluster::volumes::check_account;
use crate::rpc::control::Outcome;
use crate::rpc::types::places::{CreateVolumeAt, PlacedVolume};

/// The account of who names none.
pub(super) const FIRST_ACCOUNT: u64 = 1;

impl ClusterControl {
    pub(super) fn create_at(&self, order: CreateVolumeAt) -> Outcome<PlacedVolume> {
        let account = order.account.map_or(FIRST_ACCOUNT, |account| account.0);
        check_account(account)?;
        self.refuse_too_many_volumes(account)?;
        // Until the volume is there, the key that it is wrapped by stays in force.
        let _key_stays = read(&self.in_force);
        let key = self.key_in_force()?;
        let mut new = NewPlaced {
            uuid: Uuid::new_v4(),
            site: site_of(&order.path, order.header_path.as_deref())?,
            size: order.total_size,
            sector_size: order.sector_size,
            label: order.label,
            overwrite: order.force == Some(true),
        };
        new.site = self.host.check_ground(&new).map_err(of_host)?;
        let planned = self.announce_arrival(
            &Arrival {
                uuid: new.uuid,
                name: order.name,
                account,
                size: new.size.unwrap_or_default(),
                small_sectors: new.sector_size == Some(512),
                site: &new.site,
                keys: BTreeSet::from([key.id]),
            },
            Some(key.id),
        )?;
        let _turn = self.turns.take(planned.uuid);
        let made = self.host.create_at(&new, key.wrapping()).map_err(of_host);
        let made =
            made.and_then(|()| self.arrive(&planned, &key)).inspect_err(|_| self.settle_after_failure(&planned))?;
        self.changed(&format!("Volume {} was created at {}.", made.id, new.site.data.display()))?;
        self.place_of(made)
    }
}
