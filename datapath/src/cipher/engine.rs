//! What stands behind [`Cipher`](super::Cipher): one engine, given whole runs of data units.

use keywrap::geometry::SectorSize;

/// Which way a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Plaintext to ciphertext.
    Encrypt,
    /// Ciphertext to plaintext.
    Decrypt,
}

/// Where the bytes of a run come from and where they go. [`Cipher`](super::Cipher) checks that the two are of one
/// length.
pub enum Buffers<'a> {
    /// Over themselves.
    InPlace(&'a mut [u8]),
    /// Somewhere else; each byte of `from` is read once.
    Copy {
        /// The source.
        from: &'a [u8],
        /// The destination.
        to: &'a mut [u8],
    },
}

impl<'a> Buffers<'a> {
    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::InPlace(data) => data.len(),
            Self::Copy { from, .. } => from.len(),
        }
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The destination with the source's bytes in it, for an engine that only works in place.
    pub(super) fn in_place(self) -> &'a mut [u8] {
        match self {
            Self::InPlace(data) => data,
            Self::Copy { from, to } => {
                to.copy_from_slice(from);
                to
            }
        }
    }
}

/// XTS-AES under the key that the engine was made with.
pub(super) trait Xts: Send + Sync {
    /// A whole number of data units of `unit` bytes, which [`Cipher`](super::Cipher) has checked. The first one has the
    /// tweak `first_tweak` and each next one [`SectorSize::tweak_step`] more, wrapping at 2^64 as dm-crypt's counter
    /// does.
    fn run(&self, direction: Direction, buffers: Buffers<'_>, unit: SectorSize, first_tweak: u64);

    /// One data unit in place, with ciphertext stealing where it ends in a partial block. [`Cipher`](super::Cipher) has
    /// checked its length.
    fn unit(&self, direction: Direction, unit: &mut [u8], tweak: u128);
}
