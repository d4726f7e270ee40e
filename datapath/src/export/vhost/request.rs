//! Requests of a virtio block device (virtio 1.3, section 5.2.6): checked before anything is done.
//!
//! ```text
//! readable: | type u32 | reserved u32 | sector u64 | data … |      writable: | data … | status u8 |
//! ```
//! Little-endian; how the parts are spread over descriptors means nothing.

use virtio_bindings::bindings::virtio_blk as blk;

use super::chain::Chain;
use super::device::{Device, ID_LEN, MAX_DISCARD, MAX_RANGES, MAX_ZEROES, SECTOR};
use super::memory::Memory;
use crate::limits::MAX_TRANSFER;
use crate::volume::Slow;

/// Bytes before the data.
pub(super) const HEADER_LEN: usize = 16;
/// Bytes of a range in a discard or write-zeroes request: sector `u64`, sectors `u32`, flags `u32`.
const RANGE_LEN: usize = 16;

/// How a request ended, as its status byte says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Status {
    Ok = 0,
    Failed = 1,
    Unsupported = 2,
}

/// What is to be done.
pub(super) enum Task {
    Read {
        offset: u64,
        len: usize,
    },
    Write {
        offset: u64,
        len: usize,
    },
    Flush,
    /// One operation for each range.
    Slow(Vec<Slow>),
    /// The device's name, to be written where data goes.
    Id([u8; ID_LEN]),
}

/// The task of a chain that has a place for a status.
pub(super) fn parse(chain: &Chain, memory: &Memory, device: &Device, write_through: bool) -> Result<Task, Status> {
    let mut header = [0; HEADER_LEN];
    if !chain.readable.read(memory, 0, &mut header) {
        return Err(Status::Failed);
    }
    let (kind, sector) = (u32_at(&header, 0), u64_at(&header, 8));
    match kind {
        blk::VIRTIO_BLK_T_IN => {
            let (offset, len) = transfer(device, sector, chain.writable.len() - 1)?;
            Ok(Task::Read { offset, len })
        }
        blk::VIRTIO_BLK_T_OUT => {
            let (offset, len) = transfer(device, sector, chain.readable.len() - HEADER_LEN)?;
            if device.volume.geometry().read_only { Err(Status::Failed) } else { Ok(Task::Write { offset, len }) }
        }
        blk::VIRTIO_BLK_T_FLUSH => Ok(Task::Flush),
        blk::VIRTIO_BLK_T_GET_ID => Ok(Task::Id(device.id)),
        blk::VIRTIO_BLK_T_DISCARD => discard(&ranges(chain, memory)?, device, write_through),
        blk::VIRTIO_BLK_T_WRITE_ZEROES => write_zeroes(&ranges(chain, memory)?, device, write_through),
        _ => Err(Status::Unsupported),
    }
}

/// Offset and length in bytes of a read or write that lies inside the volume.
fn transfer(device: &Device, sector: u64, len: usize) -> Result<(u64, usize), Status> {
    if len > MAX_TRANSFER as usize || !(len as u64).is_multiple_of(SECTOR) {
        return Err(Status::Failed);
    }
    let offset = inside(device, sector, len as u64)?;
    let block = u64::from(device.volume.geometry().sector_size.bytes());
    let is_aligned = offset.is_multiple_of(block) && (len as u64).is_multiple_of(block);
    if device.volume.is_strict() && !is_aligned { Err(Status::Failed) } else { Ok((offset, len)) }
}

/// The first byte of a range of `len` bytes that lies inside the volume.
fn inside(device: &Device, sector: u64, len: u64) -> Result<u64, Status> {
    let offset = sector.checked_mul(SECTOR).ok_or(Status::Failed)?;
    let end = offset.checked_add(len).ok_or(Status::Failed)?;
    if end <= device.volume.geometry().len.0 { Ok(offset) } else { Err(Status::Failed) }
}

/// A range as the driver gives it.
struct Range {
    sector: u64,
    sectors: u32,
    flags: u32,
}

fn ranges(chain: &Chain, memory: &Memory) -> Result<Vec<Range>, Status> {
    let mut bytes = [0; RANGE_LEN * MAX_RANGES];
    let len = chain.readable.len() - HEADER_LEN;
    let bytes = bytes.get_mut(..len).ok_or(Status::Failed)?;
    if len == 0 || !len.is_multiple_of(RANGE_LEN) || !chain.readable.read(memory, HEADER_LEN, bytes) {
        return Err(Status::Failed);
    }
    let range = |bytes: &[u8]| Range { sector: u64_at(bytes, 0), sectors: u32_at(bytes, 8), flags: u32_at(bytes, 12) };
    Ok(bytes.chunks_exact(RANGE_LEN).map(range).collect())
}

fn discard(ranges: &[Range], device: &Device, fua: bool) -> Result<Task, Status> {
    let geometry = device.volume.geometry();
    if !geometry.discards || ranges.iter().any(|range| range.flags != 0) {
        return Err(Status::Unsupported);
    }
    let trims = ranges.iter().map(|range| {
        let (offset, len) = range.bytes(device, MAX_DISCARD)?;
        Ok(Slow::Trim { offset, len, fua })
    });
    trims.collect::<Result<_, _>>().map(Task::Slow)
}

fn write_zeroes(ranges: &[Range], device: &Device, fua: bool) -> Result<Task, Status> {
    // Bit 0 allows to unmap, which is an offer: zeroes are written all the same.
    if ranges.iter().any(|range| range.flags & !1 != 0) {
        return Err(Status::Unsupported);
    }
    if device.volume.geometry().read_only {
        return Err(Status::Failed);
    }
    let zeroes = ranges.iter().map(|range| {
        let (offset, len) = range.bytes(device, MAX_ZEROES)?;
        Ok(Slow::WriteZeroes { offset, len, fua })
    });
    zeroes.collect::<Result<_, _>>().map(Task::Slow)
}

impl Range {
    /// First byte and length, when it is inside the volume and not too long.
    fn bytes(&self, device: &Device, limit: u32) -> Result<(u64, u64), Status> {
        let len = u64::from(self.sectors) * SECTOR;
        if self.sectors > limit { Err(Status::Failed) } else { Ok((inside(device, self.sector, len)?, len)) }
    }
}

/// The caller's bytes are long enough.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
