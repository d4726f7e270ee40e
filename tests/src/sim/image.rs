//! What a medium holds, as the sectors that were ever written: cheap to copy, zero elsewhere.

use std::collections::BTreeMap;

/// The unit that a disk writes whole or not at all, in bytes.
pub const SECTOR: usize = 512;

/// The contents of a medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    len: u64,
    sectors: BTreeMap<u64, [u8; SECTOR]>,
}

impl Image {
    /// A medium of `len` zero bytes.
    #[must_use]
    pub fn zeroed(len: u64) -> Self {
        Self { len, sectors: BTreeMap::new() }
    }

    /// Length in bytes.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "no test uses an empty medium")]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Fills `buf` from byte `offset`; zero where nothing was written.
    pub fn read(&self, buf: &mut [u8], offset: u64) {
        for (number, within, span) in spans(offset, buf.len()) {
            let len = span.len();
            match self.sectors.get(&number) {
                Some(sector) => buf[span].copy_from_slice(&sector[within..within + len]),
                None => buf[span].fill(0),
            }
        }
    }

    /// Writes `bytes` at byte `offset`.
    pub fn write(&mut self, bytes: &[u8], offset: u64) {
        for (number, within, span) in spans(offset, bytes.len()) {
            let sector = self.sectors.entry(number).or_insert([0; SECTOR]);
            sector[within..within + span.len()].copy_from_slice(&bytes[span]);
        }
    }
}

/// Cuts `len` bytes at `offset` into sectors: its number, where in it to start, and which of the bytes fall on it.
fn spans(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == len {
            return None;
        }
        let at = offset + done as u64;
        let number = at / SECTOR as u64;
        let within = usize::try_from(at % SECTOR as u64).unwrap_or_default();
        let end = len.min(done + SECTOR - within);
        let span = done..end;
        done = end;
        Some((number, within, span))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_written_across_sectors_read_back_and_the_rest_is_zero() {
        let mut image = Image::zeroed(4096);
        let bytes: Vec<u8> = (0..=255).cycle().take(1300).collect();
        image.write(&bytes, 300);
        let mut found = vec![9; 4096];
        image.read(&mut found, 0);
        assert_eq!(&found[300..1600], bytes);
        assert!(found[..300].iter().chain(&found[1600..]).all(|&byte| byte == 0));
    }
}
