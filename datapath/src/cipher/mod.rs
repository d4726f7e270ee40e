//! AES-XTS over runs of sectors, as dm-crypt's `aes-xts-plain64` does it.
//!
//! [`Cipher`] is the face; behind it stands one engine, chosen once by [`dispatch`]. [`xts`] is the specification
//! in code, the model for every engine; [`selftest`] compares the two before the first sector is touched.

mod bulk;
pub mod ceiling;
pub mod dispatch;
mod engine;
pub mod features;
mod portable;
pub mod selftest;
#[cfg(target_arch = "x86_64")]
mod simd;
mod stealing;
mod unit;
pub mod xts;
mod xts_mode;

use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;

use dispatch::{Engine, Proof};
pub use engine::{Buffers, Direction};
use engine::{Units, Xts};
pub use unit::{BadUnitLen, UnitLen};

/// A volume's cipher: AES-128-XTS or AES-256-XTS by the length of its key, with the plain64 tweak.
pub struct Cipher {
    engine: Box<dyn Xts>,
}

impl Cipher {
    /// A cipher under `key` on the given engine. The key schedule is wiped when the cipher is dropped.
    #[must_use]
    pub fn new(key: &VolumeKey, engine: Engine) -> Self {
        let engine = match engine.0 {
            #[cfg(target_arch = "x86_64")]
            Proof::Simd(token) => simd::engine(key, token),
            Proof::Portable => portable::engine(key),
            Proof::XtsMode => xts_mode::engine(key),
        };
        Self { engine }
    }

    /// Encrypts a run of data units in place. The first one's tweak is `first_tweak`, in 512-byte units
    /// ([`keywrap::geometry::DataSegment::tweak`]).
    ///
    /// # Panics
    /// When `data` is not a whole number of units: its tail would stay in plaintext.
    pub fn encrypt(&self, data: &mut [u8], unit: SectorSize, first_tweak: u64) {
        self.run(Direction::Encrypt, Buffers::InPlace(data), unit, first_tweak);
    }

    /// Decrypts a run of data units in place; see [`Self::encrypt`].
    ///
    /// # Panics
    /// When `data` is not a whole number of units.
    pub fn decrypt(&self, data: &mut [u8], unit: SectorSize, first_tweak: u64) {
        self.run(Direction::Decrypt, Buffers::InPlace(data), unit, first_tweak);
    }

    /// Encrypts `plain` into `out`; see [`Self::encrypt`].
    ///
    /// # Panics
    /// When the two differ in length, or are not a whole number of units.
    pub fn encrypt_to(&self, plain: &[u8], out: &mut [u8], unit: SectorSize, first_tweak: u64) {
        self.run(Direction::Encrypt, Buffers::Copy { from: plain, to: out }, unit, first_tweak);
    }

    /// Decrypts `ciphertext` into `out`; see [`Self::encrypt`].
    ///
    /// # Panics
    /// When the two differ in length, or are not a whole number of units.
    pub fn decrypt_to(&self, ciphertext: &[u8], out: &mut [u8], unit: SectorSize, first_tweak: u64) {
        self.run(Direction::Decrypt, Buffers::Copy { from: ciphertext, to: out }, unit, first_tweak);
    }

    /// Encrypts or decrypts one data unit of any length in place; a partial block at its end steals ciphertext from the
    /// block before (IEEE Std 1619-2018, section 5.3.2).
    ///
    /// # Errors
    /// When XTS does not allow a data unit of this length.
    pub fn unit(&self, direction: Direction, data: &mut [u8], tweak: u128) -> Result<(), BadUnitLen> {
        UnitLen::new(data.len())?;
        self.engine.unit(direction, data, tweak);
        Ok(())
    }

    fn run(&self, direction: Direction, buffers: Buffers<'_>, unit: SectorSize, first_tweak: u64) {
        let units = whole_units(&buffers, unit, first_tweak);
        self.engine.run(direction, buffers, units);
    }
}

/// The data units of `buffers`.
///
/// # Panics
/// When they are not whole, or source and destination differ in length.
fn whole_units(buffers: &Buffers<'_>, size: SectorSize, first_tweak: u64) -> Units {
    let transfer = buffers.len();
    assert!(
        transfer.is_multiple_of(unit_len(size)),
        "{transfer} bytes are not whole data units of {} bytes",
        size.bytes()
    );
    if let Buffers::Copy { to, .. } = buffers {
        assert!(to.len() == transfer, "{transfer} bytes cannot become {}", to.len());
    }
    Units { size, first_tweak, transfer }
}

/// A unit's length in memory.
const fn unit_len(unit: SectorSize) -> usize {
    1 << unit.shift()
}

/// Each data unit of `data` with its tweak.
fn units(data: &mut [u8], unit: SectorSize, first_tweak: u64) -> impl Iterator<Item = (&mut [u8], u64)> {
    let tweaks = std::iter::successors(Some(first_tweak), move |tweak| Some(tweak.wrapping_add(unit.tweak_step())));
    data.chunks_exact_mut(unit_len(unit)).zip(tweaks)
}
