//! Long runs over every core.

use keywrap::geometry::SectorSize;

use super::Cipher;
use super::engine::{Buffers, Direction};

impl Cipher {
    /// Encrypts or decrypts a long run of data units on the cores of rayon's current thread pool; short ones on the
    /// calling thread alone. Otherwise as [`Cipher::encrypt`].
    ///
    /// # Panics
    /// When the buffers are not a whole number of units, or differ in length.
    pub fn bulk(&self, direction: Direction, buffers: Buffers<'_>, unit: SectorSize, first_tweak: u64) {
        self.run(direction, buffers, unit, first_tweak);
    }
}
