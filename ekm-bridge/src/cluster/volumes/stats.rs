//! What volumes did: what is recorded, and what the open volume did since.

use crate::cluster::control::{ClusterControl, NODE, lock};
use crate::cluster::errors::of_record;
use crate::cluster::host::HostStats;
use crate::records::{self, RecordError, VolumeTotals};
use crate::rpc::control::{Outcome, VolumeStatistics};
use crate::rpc::types::stats::{MetadataHosts, VolumeStats};
use crate::rpc::types::{AccountId, Timestamp, VolumeId};

/// Volumes whose numbers are recorded in one transaction.
const TOGETHER: usize = 32;

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
        // Recorded and not recorded belong to one moment.
        let recorded = lock(&self.recorded);
        let total = sum(self.totals(volume.id)?, less(now.unwrap_or_default(), recorded.get(&volume.id)));
        drop(recorded);
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

    /// Records the last of what a volume did while it was open. It is closed now, so nothing is counted twice.
    pub(super) fn keep_last(&self, id: records::VolumeId, last: Option<HostStats>) -> Outcome<()> {
        if let Some(last) = last {
            self.keep(&[(id, last)])?;
        }
        lock(&self.recorded).remove(&id);
        Ok(())
    }

    /// Records what open volumes did since it was recorded last, so that the end of the process takes little of it away.
    pub(in crate::cluster) fn keep_totals(&self) -> Outcome<()> {
        let volumes = self.volume_records()?;
        for volumes in volumes.chunks(TOGETHER) {
            // Whoever closes one of them records it.
            let turns: Vec<_> =
                volumes.iter().filter_map(|volume| Some((volume, self.turns.try_take(volume.uuid)?))).collect();
            let now = turns.iter().filter_map(|(volume, _)| Some((volume.id, self.host.stats(volume.uuid)?)));
            self.keep(&now.collect::<Vec<_>>())?;
        }
        Ok(())
    }

    /// The caller has the turns of these volumes.
    fn keep(&self, now: &[(records::VolumeId, HostStats)]) -> Outcome<()> {
        let mut recorded = lock(&self.recorded);
        let more: Vec<_> = now.iter().map(|(id, now)| (*id, less(*now, recorded.get(id)))).collect();
        let kept = self.records.transact(|work| {
            for (id, more) in more.iter().filter(|(_, more)| !is_nothing(more)) {
                let kept = work.get::<VolumeTotals>(*id)?.unwrap_or(VolumeTotals::zero(*id));
                work.put(&sum(kept, *more))?;
            }
            Ok::<(), RecordError>(())
        });
        kept.map_err(of_record)?;
        recorded.extend(now.iter().copied());
        Ok(())
    }
}

/// Requests in flight are no work done.
fn is_nothing(stats: &HostStats) -> bool {
    HostStats { in_flight: 0, ..*stats } == HostStats::default()
}

/// What was done since `before`. A host that has counted less than before has begun anew.
fn less(now: HostStats, before: Option<&HostStats>) -> HostStats {
    let goes_on = |before: &HostStats| now.read_ops >= before.read_ops && now.write_ops >= before.write_ops;
    let before = before.copied().filter(goes_on).unwrap_or_default();
    HostStats {
        read_ops: now.read_ops.saturating_sub(before.read_ops),
        read_bytes: now.read_bytes.saturating_sub(before.read_bytes),
        write_ops: now.write_ops.saturating_sub(before.write_ops),
        write_bytes: now.write_bytes.saturating_sub(before.write_bytes),
        unaligned_reads: now.unaligned_reads.saturating_sub(before.unaligned_reads),
        unaligned_writes: now.unaligned_writes.saturating_sub(before.unaligned_writes),
        in_flight: now.in_flight,
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
