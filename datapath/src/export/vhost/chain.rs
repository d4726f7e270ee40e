//! Descriptor chains (virtio 1.3, section 2.7.5): read once from guest memory into lists of our own.
//!
//! ```text
//! head ─▶ [ readable … ][ writable … ]      each a range of guest memory; the last ones may be in an indirect table
//! ```

use virtio_bindings::bindings::virtio_ring::{VRING_DESC_F_INDIRECT, VRING_DESC_F_NEXT};
use virtio_queue::desc::split::Descriptor;
use vm_memory::{Address, Bytes, GuestAddress};

use super::memory::Memory;

/// Descriptors that a chain may have, whichever tables they are in.
const MAX_DESCRIPTORS: usize = 1024;
/// Bytes of a descriptor.
const DESCRIPTOR_LEN: u64 = size_of::<Descriptor>() as u64;

/// Why a chain is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadChain {
    #[error("a descriptor lies outside of its table or of guest memory")]
    Outside,
    #[error("it has more than {MAX_DESCRIPTORS} descriptors, or is a loop")]
    TooLong,
    #[error("an indirect table is inside of another, is followed by a descriptor, or has no whole number of them")]
    Indirect,
    #[error("a descriptor that the device may read comes after one that it may write")]
    Order,
}

/// Ranges of guest memory, one after the other.
#[derive(Default)]
pub(super) struct Ranges {
    ranges: Vec<(GuestAddress, usize)>,
    len: usize,
}

/// A chain; its memory is used again and again.
#[derive(Default)]
pub(super) struct Chain {
    pub(super) readable: Ranges,
    pub(super) writable: Ranges,
}

/// A descriptor table.
#[derive(Clone, Copy)]
struct Tables {
    at: GuestAddress,
    entries: u64,
    is_indirect: bool,
}

impl Chain {
    /// Reads the chain that starts at `head` of the table at `table`, which has `entries`.
    pub(super) fn read(
        &mut self,
        memory: &Memory,
        table: GuestAddress,
        entries: u16,
        head: u16,
    ) -> Result<(), BadChain> {
        self.readable.clear();
        self.writable.clear();
        let mut table = Tables { at: table, entries: entries.into(), is_indirect: false };
        let mut next = u64::from(head);
        for _ in 0..MAX_DESCRIPTORS {
            let descriptor = table.get(memory, next)?;
            if descriptor.refers_to_indirect_table() {
                table = table.indirect(&descriptor)?;
                next = 0;
                continue;
            }
            self.add(&descriptor)?;
            if !descriptor.has_next() {
                return Ok(());
            }
            next = descriptor.next().into();
        }
        Err(BadChain::TooLong)
    }

    fn add(&mut self, descriptor: &Descriptor) -> Result<(), BadChain> {
        let ranges = match descriptor.is_write_only() {
            true => &mut self.writable,
            false if self.writable.ranges.is_empty() => &mut self.readable,
            false => return Err(BadChain::Order),
        };
        let len = descriptor.len() as usize;
        // At most 1024 lengths of 32 bits: no overflow.
        ranges.len += len;
        ranges.ranges.push((descriptor.addr(), len));
        Ok(())
    }
}

impl Tables {
    fn get(self, memory: &Memory, index: u64) -> Result<Descriptor, BadChain> {
        if index >= self.entries {
            return Err(BadChain::Outside);
        }
        let at = self.at.checked_add(index * DESCRIPTOR_LEN).ok_or(BadChain::Outside)?;
        memory.read_obj(at).map_err(|_| BadChain::Outside)
    }

    fn indirect(self, descriptor: &Descriptor) -> Result<Self, BadChain> {
        let len = u64::from(descriptor.len());
        let both = VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT;
        let has_next = u32::from(descriptor.flags()) & both == both;
        if self.is_indirect || has_next || len == 0 || !len.is_multiple_of(DESCRIPTOR_LEN) {
            return Err(BadChain::Indirect);
        }
        Ok(Self { at: descriptor.addr(), entries: len / DESCRIPTOR_LEN, is_indirect: true })
    }
}

impl Ranges {
    /// Bytes in all of them.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Copies from guest memory: the bytes from `at` on, as many as `out` has. Whether it has so many.
    pub(super) fn read(&self, memory: &Memory, at: usize, out: &mut [u8]) -> bool {
        let mut out = out;
        let whole = self.for_each(at, out.len(), |address, len| {
            let (now, rest) = std::mem::take(&mut out).split_at_mut(len);
            out = rest;
            memory.read_slice(now, address).is_ok()
        });
        whole && out.is_empty()
    }

    /// Copies to guest memory: `bytes`, from `at` on. Whether there is so much room.
    pub(super) fn write(&self, memory: &Memory, at: usize, bytes: &[u8]) -> bool {
        let mut bytes = bytes;
        let whole = self.for_each(at, bytes.len(), |address, len| {
            let (now, rest) = bytes.split_at(len);
            bytes = rest;
            memory.write_slice(now, address).is_ok()
        });
        whole && bytes.is_empty()
    }

    /// The parts that cover `len` bytes from `at` on, as long as `act` succeeds.
    fn for_each(&self, at: usize, len: usize, mut act: impl FnMut(GuestAddress, usize) -> bool) -> bool {
        let (mut skip, mut left) = (at, len);
        for (address, len) in &self.ranges {
            if skip >= *len {
                skip -= len;
                continue;
            }
            if left == 0 {
                break;
            }
            let count = left.min(len - skip);
            let Some(address) = address.checked_add(skip as u64) else { return false };
            if !act(address, count) {
                return false;
            }
            left -= count;
            skip = 0;
        }
        true
    }

    fn clear(&mut self) {
        self.ranges.clear();
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use vm_memory::ByteValued;

    use super::*;

    const NEXT: u16 = 1;
    const WRITE: u16 = 2;
    const INDIRECT: u16 = 4;
    const TABLE: GuestAddress = GuestAddress(0x1000);
    const OTHER: GuestAddress = GuestAddress(0x2000);

    fn memory(main: &[(u64, u32, u16, u16)], other: &[(u64, u32, u16, u16)]) -> Memory {
        let memory = Memory::from_ranges(&[(GuestAddress(0), 0x1_0000), (GuestAddress(0x2_0000), 0x1000)]).unwrap();
        for (table, at) in [(main, TABLE), (other, OTHER)] {
            for (n, (address, len, flags, next)) in (0_u64..).zip(table) {
                let descriptor = Descriptor::new(*address, *len, *flags, *next);
                memory.write_slice(descriptor.as_slice(), at.unchecked_add(n * DESCRIPTOR_LEN)).unwrap();
            }
        }
        memory
    }

    fn read(memory: &Memory) -> Result<(usize, usize), BadChain> {
        let mut chain = Chain::default();
        chain.read(memory, TABLE, 4, 0).map(|()| (chain.readable.len(), chain.writable.len()))
    }

    #[test]
    fn a_chain_is_readable_then_writable_and_may_end_in_an_indirect_table() {
        let plain =
            memory(&[(0x4000, 16, NEXT, 2), (0, 0, 0, 0), (0x5000, 512, NEXT | WRITE, 3), (0x6000, 1, WRITE, 0)], &[]);
        assert_eq!(read(&plain), Ok((16, 513)));
        let indirect = memory(
            &[(0x4000, 16, NEXT, 1), (OTHER.0, 32, INDIRECT, 0)],
            &[(0x5000, 512, NEXT, 1), (0x6000, 1, WRITE, 0)],
        );
        assert_eq!(read(&indirect), Ok((528, 1)));
    }

    #[test]
    fn what_is_no_chain_is_refused() {
        let cases = [
            (memory(&[(0, 1, NEXT, 1), (0, 1, NEXT, 0)], &[]), BadChain::TooLong),
            (memory(&[(0, 1, NEXT, 4)], &[]), BadChain::Outside),
            (memory(&[(0, 1, NEXT | WRITE, 1), (0, 1, 0, 0)], &[]), BadChain::Order),
            (memory(&[(OTHER.0, 15, INDIRECT, 0)], &[]), BadChain::Indirect),
            (memory(&[(OTHER.0, 0, INDIRECT, 0)], &[]), BadChain::Indirect),
            (memory(&[(OTHER.0, 16, INDIRECT | NEXT, 1)], &[]), BadChain::Indirect),
            (memory(&[(OTHER.0, 16, INDIRECT, 0)], &[(TABLE.0, 16, INDIRECT, 0)]), BadChain::Indirect),
            (memory(&[(OTHER.0, 16, INDIRECT, 0)], &[(0, 1, NEXT, 1)]), BadChain::Outside),
            (memory(&[(u64::MAX - 3, 16, INDIRECT, 0)], &[]), BadChain::Outside),
            (memory(&[(0x1_fff8, 16, INDIRECT, 0)], &[]), BadChain::Outside),
        ];
        for (number, (memory, why)) in cases.iter().enumerate() {
            assert_eq!(read(memory).as_ref(), Err(why), "{number}");
        }
    }

    #[test]
    fn ranges_are_copied_piece_by_piece_and_never_beyond_guest_memory() {
        let memory = memory(&[], &[]);
        let ranges = |parts: &[(u64, usize)]| Ranges {
            ranges: parts.iter().map(|(at, len)| (GuestAddress(*at), *len)).collect(),
            len: parts.iter().map(|(_, len)| len).sum(),
        };
        let three = ranges(&[(0x3000, 3), (0x4000, 0), (0x5000, 4), (0x3003, 2)]);
        assert!(three.write(&memory, 1, &[1, 2, 3, 4, 5, 6, 7]));
        let mut bytes = [0; 8];
        assert!(three.read(&memory, 0, &mut bytes[..]));
        assert_eq!(bytes, [0, 1, 2, 3, 4, 5, 6, 7]);
        assert!(three.read(&memory, 5, &mut bytes[..3]));
        assert_eq!(bytes[..3], [5, 6, 7]);
        assert!(!three.write(&memory, 3, &[0; 7]), "one byte too many");
        for (at, len) in [(0xffff, 2), (0x1_0000, 1), (0x2_0fff, 2), (u64::MAX, 2)] {
            assert!(!ranges(&[(at, len)]).write(&memory, 0, &[0, 0]), "{at:x}");
            assert!(!ranges(&[(at, len)]).read(&memory, 0, &mut [0, 0]), "{at:x}");
        }
    }
}
