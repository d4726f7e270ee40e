//! Long runs over every core.

use keywrap::geometry::SectorSize;

use super::engine::{Buffers, Direction, Units};
use super::{Cipher, unit_len, whole_units};

/// Runs from which on more cores help a thread of the pool: the others are awake, or soon will be for the next run.
const FROM_WITHIN: usize = 512 << 10;

/// Runs from which on they help another thread, which has to wake one to begin with and to be woken at the end
/// (docs/cipher.md has the measurement).
const FROM_OUTSIDE: usize = 2 << 20;

/// The least that is worth handing to another core. Whole data units of every size.
const PIECE: usize = 128 << 10;

const _: () = assert!(PIECE.is_multiple_of(unit_len(SectorSize::B4096)) && FROM_WITHIN >= 2 * PIECE);

impl Cipher {
    /// Encrypts or decrypts a long run of data units on the cores of rayon's current thread pool; short ones on the
    /// calling thread alone. Many runs in a row are best called from a thread of the pool. Otherwise as [`Cipher::encrypt`].
    ///
    /// # Panics
    /// When the buffers are not a whole number of units, or differ in length.
    pub fn bulk(&self, direction: Direction, buffers: Buffers<'_>, unit: SectorSize, first_tweak: u64) {
        let units = whole_units(&buffers, unit, first_tweak);
        let within = rayon::current_thread_index().is_some();
        if buffers.len() < if within { FROM_WITHIN } else { FROM_OUTSIDE } {
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
