//! Long runs over every core.

use keywrap::geometry::SectorSize;

use super::engine::{Buffers, Direction, Units};
use super::{Cipher, unit_len, whole_units};

/// Runs from which on more cores help: below, waking them takes longer than they save (docs/cipher.md has the
/// measurement).
const BULK_FROM: usize = 512 << 10;

/// The least that is worth handing to another core. Whole data units of every size.
const PIECE: usize = 128 << 10;

const _: () = assert!(PIECE.is_multiple_of(unit_len(SectorSize::B4096)) && BULK_FROM >= 2 * PIECE);

impl Cipher {
    /// Encrypts or decrypts a long run of data units on the cores of rayon's current thread pool; short ones on the
    /// calling thread alone. Otherwise as [`Cipher::encrypt`].
    ///
    /// # Panics
    /// When the buffers are not a whole number of units, or differ in length.
    pub fn bulk(&self, direction: Direction, buffers: Buffers<'_>, unit: SectorSize, first_tweak: u64) {
        let units = whole_units(&buffers, unit, first_tweak);
        if buffers.len() < BULK_FROM {
            self.engine.run(direction, buffers, units);
        } else {
            // Some pieces more than cores, so that one that is late leaves little to wait for.
            let piece = (buffers.len() / (4 * rayon::current_num_threads())).max(PIECE);
            self.pieces(direction, buffers, units, piece);
        }
    }

    fn pieces(&self, direction: Direction, buffers: Buffers<'_>, units: Units, piece: usize) {
        if buffers.len() <= piece {
            return self.engine.run(direction, buffers, units);
        }
        let half = (buffers.len() / 2).next_multiple_of(unit_len(SectorSize::B4096));
        let (first, rest) = buffers.split_at(half);
        rayon::join(
            || self.pieces(direction, first, units, piece),
            || self.pieces(direction, rest, units.skip(half), piece),
        );
    }
}
