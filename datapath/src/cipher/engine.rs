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

    /// The first `at` bytes and the rest.
    pub(super) fn split_at(self, at: usize) -> (Self, Self) {
        match self {
            Self::InPlace(data) => {
                let (first, rest) = data.split_at_mut(at);
                (Self::InPlace(first), Self::InPlace(rest))
            }
            Self::Copy { from, to } => {
                let ((first, rest), (to_first, to_rest)) = (from.split_at(at), to.split_at_mut(at));
                (Self::Copy { from: first, to: to_first }, Self::Copy { from: rest, to: to_rest })
            }
        }
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

/// Which data units a run has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Units {
    /// How long they are.
    pub(super) size: SectorSize,
    /// The first one's tweak; each next one has [`SectorSize::tweak_step`] more, wrapping at 2^64 as dm-crypt's counter
    /// does.
    pub(super) first_tweak: u64,
    /// Bytes of the whole transfer that the run is a part of: what matters to the caches.
    pub(super) transfer: usize,
}

impl Units {
    /// The units from byte `at` on, a multiple of their size.
    pub(super) const fn skip(self, at: usize) -> Self {
        let units = (at >> self.size.shift()) as u64;
        Self { first_tweak: self.first_tweak.wrapping_add(units.wrapping_mul(self.size.tweak_step())), ..self }
    }
}

/// XTS-AES under the key that the engine was made with.
pub(super) trait Xts: Send + Sync {
    /// A whole number of data units, which [`Cipher`](super::Cipher) has checked.
    fn run(&self, direction: Direction, buffers: Buffers<'_>, units: Units);

    /// One data unit in place, with ciphertext stealing where it ends in a partial block. [`Cipher`](super::Cipher) has
    /// checked its length.
    fn unit(&self, direction: Direction, unit: &mut [u8], tweak: u128);
}
