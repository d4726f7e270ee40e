//! The device as a guest sees it: its features and its configuration space (virtio 1.3, section 5.2).

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::net::SendFlags;
use virtio_bindings::bindings::virtio_blk as blk;
use virtio_bindings::bindings::virtio_config::VIRTIO_F_VERSION_1;
use virtio_bindings::bindings::virtio_ring::{VIRTIO_RING_F_EVENT_IDX, VIRTIO_RING_F_INDIRECT_DESC};

use super::message::{self, F_PROTOCOL_FEATURES, protocol};
use crate::volume::Volume;

/// A virtio block device counts in these, whatever the size of its blocks.
pub(super) const SECTOR: u64 = 512;
/// Queues that a front end may use.
pub(super) const QUEUES: u16 = 64;
/// Entries that a queue may have.
pub(super) const MAX_QUEUE_SIZE: u16 = 1024;
/// Parts of a request's data that are asked for.
const SEGMENTS: u32 = 254;
/// Ranges in one discard or write-zeroes request.
pub(super) const MAX_RANGES: usize = 16;
/// Sectors in one range of a discard, and of a write-zeroes request, which costs writing them: 1 GiB and 64 MiB.
pub(super) const MAX_DISCARD: u32 = (1 << 30) / 512;
pub(super) const MAX_ZEROES: u32 = (64 << 20) / 512;
/// Bytes of a device's name.
pub(super) const ID_LEN: usize = blk::VIRTIO_BLK_ID_BYTES as usize;
/// Bytes of the configuration space, up to the fields of features that are not offered.
const CONFIG_LEN: usize = 60;
/// The longest configuration space of the protocol (`VHOST_USER_MAX_CONFIG_SIZE`).
const MAX_CONFIG_LEN: usize = 256;

/// What all parts of an export share.
pub(super) struct Device {
    pub(super) volume: Arc<Volume>,
    pub(super) id: [u8; ID_LEN],
    /// Where the front end listens for what the back end has to say.
    backend_channel: Mutex<Option<OwnedFd>>,
}

impl Device {
    /// A device that gives `serial` as its name, as far as it fits.
    pub(super) fn new(volume: Arc<Volume>, serial: &str) -> Self {
        let mut id = [0; ID_LEN];
        id.iter_mut().zip(serial.bytes()).for_each(|(place, byte)| *place = byte);
        Self { volume, id, backend_channel: Mutex::default() }
    }

    /// The features that are offered.
    pub(super) fn features(&self) -> u64 {
        let geometry = self.volume.geometry();
        let always = [
            VIRTIO_F_VERSION_1,
            VIRTIO_RING_F_INDIRECT_DESC,
            VIRTIO_RING_F_EVENT_IDX,
            F_PROTOCOL_FEATURES,
            blk::VIRTIO_BLK_F_SEG_MAX,
            blk::VIRTIO_BLK_F_BLK_SIZE,
            blk::VIRTIO_BLK_F_FLUSH,
            blk::VIRTIO_BLK_F_MQ,
        ];
        let mut features = always.into_iter().fold(0, |bits, feature| bits | 1 << feature);
        if geometry.read_only {
            features |= 1 << blk::VIRTIO_BLK_F_RO;
        } else {
            features |= 1 << blk::VIRTIO_BLK_F_WRITE_ZEROES;
        }
        if geometry.discards {
            features |= 1 << blk::VIRTIO_BLK_F_DISCARD;
        }
        features
    }

    /// The protocol features that are offered.
    pub(super) fn protocol_features() -> u64 {
        [protocol::MQ, protocol::REPLY_ACK, protocol::BACKEND_REQ, protocol::CONFIG, protocol::INFLIGHT_SHMFD]
            .into_iter()
            .fold(0, |bits, feature| bits | 1 << feature)
    }

    /// A part of the configuration space, now; `None` beyond its end. What lies behind our fields reads as zero.
    pub(super) fn config(&self, offset: usize, len: usize) -> Option<Vec<u8>> {
        let mut bytes = self.fields().to_vec();
        bytes.resize(MAX_CONFIG_LEN, 0);
        bytes.get(offset..offset.checked_add(len)?).map(<[u8]>::to_vec)
    }

    /// `struct virtio_blk_config`.
    fn fields(&self) -> [u8; CONFIG_LEN] {
        let geometry = self.volume.geometry();
        let block = geometry.sector_size.bytes();
        let mut bytes = [0; CONFIG_LEN];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, &(geometry.len.0 / SECTOR).to_le_bytes());
        put(12, &SEGMENTS.to_le_bytes());
        put(20, &block.to_le_bytes());
        put(34, &QUEUES.to_le_bytes());
        let ranges = (MAX_RANGES as u32).to_le_bytes();
        if geometry.discards {
            put(36, &MAX_DISCARD.to_le_bytes());
            put(40, &ranges);
            put(44, &(block / SECTOR as u32).to_le_bytes());
        }
        if !geometry.read_only {
            put(48, &MAX_ZEROES.to_le_bytes());
            put(52, &ranges);
        }
        bytes
    }

    /// Keeps the channel on which the front end listens, or forgets it.
    pub(super) fn set_backend_channel(&self, channel: Option<OwnedFd>) {
        *self.backend_channel.lock().unwrap_or_else(PoisonError::into_inner) = channel;
    }

    /// Tells the front end that the configuration space has changed; it then tells the guest.
    pub(super) fn tell_config_change(&self) {
        let channel = self.backend_channel.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(channel) = channel.as_ref() else { return };
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        if let Err(error) = rustix::net::send(channel, &message::config_change(), flags) {
            tracing::warn!(%error, "the front end could not be told of the volume's new length");
        }
    }
}
