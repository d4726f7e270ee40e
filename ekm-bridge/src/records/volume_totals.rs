//! What a volume did up to the last time that was recorded: each minute, and when it is closed.

use serde::{Deserialize, Serialize};

use super::record::Record;
use super::volumes::VolumeId;

/// The counters of one volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeTotals {
    /// The volume.
    pub id: VolumeId,
    /// Reads.
    pub read_ops: u64,
    /// Bytes that they read.
    pub read_bytes: u64,
    /// Writes.
    pub write_ops: u64,
    /// Bytes that they wrote.
    pub write_bytes: u64,
    /// Reads that were not whole sectors.
    pub unaligned_reads: u64,
    /// Writes that were not whole sectors.
    pub unaligned_writes: u64,
}

impl VolumeTotals {
    /// Nothing done yet.
    #[must_use]
    pub fn zero(id: VolumeId) -> Self {
        Self { id, read_ops: 0, read_bytes: 0, write_ops: 0, write_bytes: 0, unaligned_reads: 0, unaligned_writes: 0 }
    }
}

impl Record for VolumeTotals {
    const KIND: &'static str = "volume-totals";
    type Id = VolumeId;

    fn id(&self) -> VolumeId {
        self.id
    }
}
