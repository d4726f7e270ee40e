//! Where volumes lie, as the API shows it.

use crate::cluster::control::ClusterControl;
use crate::cluster::errors::of_record;
use crate::cluster::volumes::export_name;
use crate::records::{self, Header, VolumeStatus};
use crate::rpc::control::Outcome;
use crate::rpc::types::places::PlacedVolume;
use crate::rpc::types::{Timestamp, VolumeId};

impl ClusterControl {
    pub(super) fn all_places(&self) -> Outcome<Vec<PlacedVolume>> {
        self.need_cluster()?;
        let volumes = self.volume_records()?.into_iter().filter(|volume| volume.path.is_some());
        volumes.map(|volume| self.place_of(volume)).collect()
    }

    pub(super) fn place_of(&self, volume: records::Volume) -> Outcome<PlacedVolume> {
        let header: Option<Header> = self.records.table().get(volume.uuid).map_err(of_record)?;
        let export = export_name(&volume);
        Ok(PlacedVolume {
            id: VolumeId(volume.id.0),
            uuid: volume.uuid,
            uris: self.host.uris(&export),
            export,
            path: volume.path.map(|path| path.display().to_string()).unwrap_or_default(),
            header_path: volume.site.and_then(|site| site.header).map(|path| path.display().to_string()),
            keys: header.map(|header| header.keys.iter().map(|key| key.0).collect()).unwrap_or_default(),
            total_size: volume.size,
            created: Timestamp(volume.created),
            is_deleted: volume.status != VolumeStatus::Active,
            is_read_only: volume.access == records::Access::ReadOnly,
            is_open: self.host.is_open(volume.uuid),
            is_present: self.host.is_present(volume.uuid),
        })
    }
}
