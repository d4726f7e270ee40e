//! Guest memory: the regions that the front end shares, mapped.
//!
//! Every access is checked against the regions and is a volatile copy; no reference to guest memory ever exists. A
//! region's file must not shrink while it is mapped: the kernel would end this process (`SIGBUS`). Guests cannot do that,
//! front ends can, to their own volume's server.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use vm_memory::mmap::MmapRegion;
use vm_memory::{FileOffset, GuestAddress, GuestMemoryMmap, GuestRegionMmap};

use super::message::Payload;

/// The memory of a guest.
pub(super) type Memory = GuestMemoryMmap<()>;

/// The memory with what is needed to find a front end's addresses in it.
pub(super) struct Table {
    pub(super) memory: Arc<Memory>,
    regions: Vec<Region>,
}

/// A region as the front end describes it.
#[derive(Clone, Copy)]
struct Region {
    guest: u64,
    len: u64,
    user: u64,
    offset: u64,
}

impl Table {
    /// Maps what a `SET_MEM_TABLE` message tells of.
    pub(super) fn map(payload: &[u8], files: Vec<OwnedFd>) -> io::Result<Self> {
        let regions = parse(payload).map_err(invalid)?;
        if regions.len() != files.len() {
            return Err(invalid("it has not one descriptor for each region"));
        }
        let mut mapped = Vec::with_capacity(regions.len());
        for (region, file) in regions.iter().zip(files) {
            let len = usize::try_from(region.len).map_err(|_| invalid("a region is too long"))?;
            let region = GuestRegionMmap::new(map(file, region.offset, len)?, GuestAddress(region.guest));
            mapped.push(region.ok_or_else(|| invalid("a region is beyond the end of guest memory"))?);
        }
        mapped.sort_by_key(vm_memory::GuestMemoryRegion::start_addr);
        let memory = GuestMemoryMmap::from_regions(mapped).map_err(io::Error::other)?;
        Ok(Self { memory: Arc::new(memory), regions })
    }

    /// Where in guest memory an address of the front end's own lies.
    pub(super) fn find(&self, user: u64) -> Option<GuestAddress> {
        let inside = |region: &&Region| user >= region.user && user - region.user < region.len;
        self.regions.iter().find(inside).map(|region| GuestAddress(region.guest + (user - region.user)))
    }
}

/// Maps a part of a file, all of which exists: a page beyond a file's end could be mapped, but not touched.
pub(super) fn map(file: OwnedFd, offset: u64, len: usize) -> io::Result<MmapRegion> {
    let file = File::from(file);
    let end = offset.checked_add(len as u64);
    if end.is_none_or(|end| end > file.metadata().map_or(0, |file| file.len())) {
        return Err(invalid("the memory to be shared reaches beyond the end of its file"));
    }
    MmapRegion::from_file(FileOffset::new(file, offset), len).map_err(io::Error::other)
}

fn parse(payload: &[u8]) -> Result<Vec<Region>, &'static str> {
    let mut payload = Payload(payload);
    let count = payload.u32()?;
    payload.u32()?;
    (0..count)
        .map(|_| {
            let region =
                Region { guest: payload.u64()?, len: payload.u64()?, user: payload.u64()?, offset: payload.u64()? };
            let ends = [region.guest, region.user, region.offset].map(|start| start.checked_add(region.len));
            if region.len == 0 || ends.contains(&None) { Err("a region has no sensible length") } else { Ok(region) }
        })
        .collect()
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}

#[cfg(test)]
mod tests {
    use rustix::fs::MemfdFlags;
    use vm_memory::{Bytes, GuestMemoryBackend};

    use super::*;

    fn file(len: u64) -> OwnedFd {
        let file = rustix::fs::memfd_create("test", MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&file, len).unwrap();
        file
    }

    fn table(regions: &[[u64; 4]], files: Vec<OwnedFd>) -> io::Result<Table> {
        let count = u32::try_from(regions.len()).unwrap();
        let mut payload = [count.to_ne_bytes(), [0; 4]].concat();
        payload.extend(regions.iter().flatten().flat_map(|word| word.to_ne_bytes()));
        Table::map(&payload, files)
    }

    #[test]
    fn addresses_of_the_front_end_are_found_in_the_region_that_has_them() {
        let regions = [[0x10_0000, 0x2000, 0x7000_0000, 0x1000], [0, 0x1000, 0x8000_0000, 0]];
        let table = table(&regions, vec![file(0x3000), file(0x1000)]).unwrap();
        assert_eq!(table.find(0x7000_1fff), Some(GuestAddress(0x10_1fff)));
        assert_eq!(table.find(0x8000_0000), Some(GuestAddress(0)));
        assert_eq!([0x7000_2000, 0x6fff_ffff, 0, u64::MAX].map(|address| table.find(address)), [None; 4]);
        assert_eq!(table.memory.num_regions(), 2);
        assert!(table.memory.write_obj(7_u8, GuestAddress(0x10_1fff)).is_ok());
        assert!(table.memory.write_obj(7_u16, GuestAddress(0x10_1fff)).is_err());
    }

    #[test]
    fn regions_that_cannot_be_are_refused() {
        let cases: [(&[[u64; 4]], &[u64]); 8] = [
            (&[], &[]),
            (&[[0, 0x1000, 0, 0]], &[]),
            (&[[0, 0, 0, 0]], &[0x1000]),
            (&[[u64::MAX, 0x1000, 0, 0]], &[0x1000]),
            (&[[0, 0x1000, u64::MAX - 1, 0]], &[0x1000]),
            (&[[0, 0x2000, 0, 0]], &[0x1000]),
            (&[[0, 0x1000, 0, 0x1000]], &[0x1000]),
            (&[[0, 0x2000, 0, 0], [0x1000, 0x1000, 0x9000, 0]], &[0x2000, 0x2000]),
        ];
        for (number, (regions, files)) in cases.iter().enumerate() {
            assert!(table(regions, files.iter().map(|len| file(*len)).collect()).is_err(), "{number}");
        }
    }
}
