//! What volumes did: what is kept from earlier, and what the open volume did since.

use crate::cluster::control::{ClusterControl, NODE};
use crate::cluster::errors::of_record;
use crate::cluster::host::HostStats;
use crate::records::{self, VolumeTotals};
use crate::rpc::control::{Outcome, VolumeStatistics};
use crate::rpc::types::stats::{MetadataHosts, VolumeStats};
use crate::rpc::types::{AccountId, Timestamp, VolumeId};

impl VolumeStatistics for ClusterControl {
    fn volume_stats(&self, id: VolumeId) -> Outcome<VolumeStats> {
        self.stats_of(&self.volume_record(id)?)
    }

    fn all_volume_stats(&self, volumes: Option<&[VolumeId]>) -> Outcome<Vec<VolumeStats>> {
        match volumes {
            Some(ids) => ids.iter().map(|id| self.volume_stats(*id)).collect(),
            None => self.volume_records()?.iter().map(|volume| self.stats_of(volume)).collect(),
        }
    }
}

impl ClusterControl {
    fn stats_of(&self, volume: &records::Volume) -> Outcome<VolumeStats> {
        let now = self.host.stats(volume.uuid);
        let total = sum(self.totals(volume.id)?, now.unwrap_or_default());
        Ok(VolumeStats {
            account: AccountId(volume.account),
            volume: VolumeId(volume.id.0),
            volume_size: volume.size,
            timestamp: Some(Timestamp(self.now())),
            read_ops: total.read_ops,
            write_ops: total.write_ops,
            read_bytes: total.read_bytes,
            write_bytes: total.write_bytes,
            unaligned_reads: total.unaligned_reads,
            unaligned_writes: total.unaligned_writes,
            client_queue_depth: now.map(|stats| stats.in_flight),
            metadata_hosts: Some(MetadataHosts { primary: NODE, ..MetadataHosts::default() }),
            ..VolumeStats::default()
        })
    }

    fn totals(&self, id: records::VolumeId) -> Outcome<VolumeTotals> {
        let kept = self.records.table::<VolumeTotals>().get(id).map_err(of_record)?;
        Ok(kept.unwrap_or(VolumeTotals::zero(id)))
    }

    /// Adds what a volume did while it was open to what is kept. It is closed now, so nothing is counted twice.
    pub(super) fn keep_totals(&self, id: records::VolumeId, last: HostStats) -> Outcome<()> {
        if last == HostStats::default() {
            return Ok(());
        }
        self.records.table().put(&sum(self.totals(id)?, last)).map_err(of_record)
    }
}

fn sum(kept: VolumeTotals, now: HostStats) -> VolumeTotals {
    VolumeTotals {
        id: kept.id,
        read_ops: kept.read_ops.saturating_add(now.read_ops),
        read_bytes: kept.read_bytes.saturating_add(now.read_bytes),
        write_ops: kept.write_ops.saturating_add(now.write_ops),
        write_bytes: kept.write_bytes.saturating_add(now.write_bytes),
        unaligned_reads: kept.unaligned_reads.saturating_add(now.unaligned_reads),
        unaligned_writes: kept.unaligned_writes.saturating_add(now.unaligned_writes),
    }
}
