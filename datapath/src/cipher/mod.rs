//! AES-XTS over runs of sectors, as dm-crypt's `aes-xts-plain64` does it.
//!
//! [`Cipher`] is the face; behind it stands one `Engine`, chosen once by [`dispatch`]. [`xts`] is the specification
//! in code, the model for every engine; [`selftest`] compares the two before the first sector is touched.

pub mod dispatch;
mod portable;
pub mod selftest;
pub mod xts;
mod xts_mode;

use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;

use dispatch::EngineName;

/// What an engine does: whole data units in place, keyed when it was made.
///
/// `data` is a whole number of units, which [`Cipher`] has checked. The first unit has the tweak `first_tweak` and each
/// next one [`SectorSize::tweak_step`] more, wrapping at 2^64 as dm-crypt's counter does.
trait Engine: Send + Sync {
    fn encrypt(&self, data: &mut [u8], unit: SectorSize, first_tweak: u64);
    fn decrypt(&self, data: &mut [u8], unit: SectorSize, first_tweak: u64);
}

/// A volume's cipher: AES-128-XTS or AES-256-XTS by the length of its key, with the plain64 tweak.
pub struct Cipher {
    engine: Box<dyn Engine>,
}

impl Cipher {
    /// A cipher under `key` with the named engine. The key schedule is wiped when the cipher is dropped.
    #[must_use]
    pub fn new(key: &VolumeKey, engine: EngineName) -> Self {
        let engine = match engine {
            EngineName::Portable => portable::engine(key),
            EngineName::XtsMode => xts_mode::engine(key),
        };
        Self { engine }
    }

    /// Encrypts a run of data units in place. The first one's tweak is `first_tweak`, in 512-byte units
    /// ([`keywrap::geometry::DataSegment::tweak`]).
    ///
    /// # Panics
    /// When `data` is not a whole number of units: its tail would stay in plaintext.
    pub fn encrypt(&self, data: &mut [u8], unit: SectorSize, first_tweak: u64) {
        assert_whole(data.len(), unit);
        self.engine.encrypt(data, unit, first_tweak);
    }

    /// Decrypts a run of data units in place; see [`Self::encrypt`].
    ///
    /// # Panics
    /// When `data` is not a whole number of units.
    pub fn decrypt(&self, data: &mut [u8], unit: SectorSize, first_tweak: u64) {
        assert_whole(data.len(), unit);
        self.engine.decrypt(data, unit, first_tweak);
    }

    /// Encrypts `plain` into `out`; see [`Self::encrypt`].
    ///
    /// # Panics
    /// When the two differ in length, or are not a whole number of units.
    pub fn encrypt_to(&self, plain: &[u8], out: &mut [u8], unit: SectorSize, first_tweak: u64) {
        assert_whole(plain.len(), unit);
        out.copy_from_slice(plain);
        self.engine.encrypt(out, unit, first_tweak);
    }

    /// Decrypts `ciphertext` into `out`; see [`Self::encrypt`].
    ///
    /// # Panics
    /// When the two differ in length, or are not a whole number of units.
    pub fn decrypt_to(&self, ciphertext: &[u8], out: &mut [u8], unit: SectorSize, first_tweak: u64) {
        assert_whole(ciphertext.len(), unit);
        out.copy_from_slice(ciphertext);
        self.engine.decrypt(out, unit, first_tweak);
    }
}

fn assert_whole(len: usize, unit: SectorSize) {
    assert!(len.is_multiple_of(unit_len(unit)), "{len} bytes are not whole data units of {} bytes", unit.bytes());
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
