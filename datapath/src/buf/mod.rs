//! I/O buffers, aligned so that direct I/O takes them as they are.

pub mod arena;

/// The alignment of every buffer's first byte: the largest logical block of the media served here.
pub const ALIGN: usize = 4096;

/// An owned, zeroed buffer whose first byte is aligned to [`ALIGN`].
///
/// The allocation is one alignment unit longer than asked for and the slice starts at the first aligned byte: it costs
/// up to 4 KiB and needs no unsafe code.
pub struct Buf {
    bytes: Vec<u8>,
    start: usize,
    len: usize,
}

impl Buf {
    /// A buffer of `len` zero bytes.
    #[must_use]
    pub fn zeroed(len: usize) -> Self {
        if len == 0 {
            return Self { bytes: Vec::new(), start: 0, len };
        }
        let bytes = vec![0; len + ALIGN - 1];
        let start = bytes.as_ptr().align_offset(ALIGN);
        Self { bytes, start, len }
    }

    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.len]
    }

    /// The bytes, to be changed in place.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + self.len]
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the buffer has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_starts_aligned() {
        for len in [1, 511, 512, 4096, 4097, 1 << 20] {
            let mut buf = Buf::zeroed(len);
            assert_eq!(buf.as_slice().as_ptr().align_offset(ALIGN), 0);
            assert_eq!(buf.as_mut_slice().len(), len);
        }
        assert!(Buf::zeroed(0).as_slice().is_empty());
    }
}
