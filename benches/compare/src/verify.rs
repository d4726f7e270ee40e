//! Before anything is measured: everybody computes the same, bit for bit.

use datapath::cipher::dispatch::Engine;
use datapath::cipher::{Buffers, Cipher, Direction};
use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;

use crate::peers::{self, Maker};

/// Two different answers to the same question.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Differs(String);

impl std::error::Error for Differs {}

impl std::fmt::Display for Differs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; nothing was measured", self.0)
    }
}

/// Bytes compared: several units of every size, and more than any engine holds in registers.
const LEN: usize = 32 << 10;
/// A tweak that carries from one byte into the next on the way.
const FIRST_TWEAK: u64 = (1 << 32) - 20;

/// Compares every engine of this machine and every peer with the portable engine, in place and not.
///
/// # Errors
/// The first difference.
pub(crate) fn everybody(key: &VolumeKey) -> Result<(), Differs> {
    let text: Vec<u8> = (0..=u8::MAX).cycle().take(LEN).collect();
    for unit in SectorSize::ALL {
        for direction in [Direction::Encrypt, Direction::Decrypt] {
            let expected = sear(key, Engine::portable(), &text, unit, direction);
            for engine in Engine::available() {
                same(&sear(key, engine, &text, unit, direction), &expected, engine.name().as_str(), unit, direction)?;
            }
            for maker in peers::ALL {
                for computed in peer(key, maker, &text, unit, direction) {
                    same(&computed, &expected, maker.name, unit, direction)?;
                }
            }
        }
    }
    Ok(())
}

fn sear(key: &VolumeKey, engine: Engine, text: &[u8], unit: SectorSize, direction: Direction) -> Vec<u8> {
    let mut data = text.to_vec();
    Cipher::new(key, engine).bulk(direction, Buffers::InPlace(&mut data), unit, FIRST_TWEAK);
    data
}

fn peer(key: &VolumeKey, maker: Maker, text: &[u8], unit: SectorSize, direction: Direction) -> [Vec<u8>; 2] {
    let mut peer = (maker.make)(key);
    let mut in_place = text.to_vec();
    peers::run(&mut *peer, direction, Buffers::InPlace(&mut in_place), unit, FIRST_TWEAK);
    let mut copied = vec![0; text.len()];
    peers::run(&mut *peer, direction, Buffers::Copy { from: text, to: &mut copied }, unit, FIRST_TWEAK);
    [in_place, copied]
}

fn same(computed: &[u8], expected: &[u8], name: &str, unit: SectorSize, direction: Direction) -> Result<(), Differs> {
    let at = computed.iter().zip(expected).position(|(computed, expected)| computed != expected);
    at.map_or(Ok(()), |at| {
        let what = format!("{name} and portable differ at byte {at} ({direction:?}, units of {} bytes)", unit.bytes());
        Err(Differs(what))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_here_computes_the_same() {
        assert_eq!(everybody(&VolumeKey::random().unwrap()), Ok(()));
    }

    #[test]
    fn a_difference_is_told_with_its_place() {
        let error = same(&[1, 2, 4], &[1, 2, 3], "x", SectorSize::B512, Direction::Encrypt).unwrap_err();
        assert_eq!(
            error.to_string(),
            "x and portable differ at byte 2 (Encrypt, units of 512 bytes); nothing was measured"
        );
    }
}
