//! Whom Sear is compared with, each driven as its users drive it: the key is set up once, and every data unit gets its
//! tweak and one call over its bytes.
//!
//! The only place in this package with `unsafe` code: the calls into C.
#![allow(unsafe_code, reason = "the peers are C libraries; docs/UNSAFE.md has their row")]

mod awslc;
mod openssl;
#[cfg(target_arch = "x86_64")]
pub(crate) mod streaming;
mod xts_mode;

use datapath::cipher::{Buffers, Direction};
use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;

/// Another implementation of AES-256-XTS under a key of its own copy. One thread uses it at a time.
pub(crate) trait Peer: Send {
    /// One data unit under its tweak block.
    fn unit(&mut self, direction: Direction, buffers: Buffers<'_>, tweak: [u8; 16]);
}

/// A peer that can be made any number of times.
#[derive(Clone, Copy)]
pub(crate) struct Maker {
    /// Its name in the tables.
    pub(crate) name: &'static str,
    /// What exactly it is.
    pub(crate) version: fn() -> String,
    /// One for one thread, under the key.
    pub(crate) make: fn(&VolumeKey) -> Box<dyn Peer>,
}

/// AWS's libcrypto.
pub(crate) const AWS_LC: Maker = Maker { name: "aws-lc", version: awslc::version, make: awslc::peer };
/// OpenSSL's libcrypto.
pub(crate) const OPENSSL: Maker = Maker { name: "openssl", version: openssl::version, make: openssl::peer };
/// The crates `aes` and `xts-mode`.
pub(crate) const XTS_MODE: Maker = Maker { name: "xts-mode", version: xts_mode::version, make: xts_mode::peer };

/// The fast ones.
pub(crate) const C_LIBRARIES: [Maker; 2] = [AWS_LC, OPENSSL];
/// All.
pub(crate) const ALL: [Maker; 3] = [AWS_LC, OPENSSL, XTS_MODE];

/// A run of data units, one after the other, with the plain64 tweaks that [`datapath::cipher::Cipher`] uses.
pub(crate) fn run(peer: &mut dyn Peer, direction: Direction, buffers: Buffers<'_>, unit: SectorSize, first_tweak: u64) {
    let len = 1 << unit.shift();
    let mut tweak = first_tweak;
    let mut next = || {
        let block = u128::from(tweak).to_le_bytes();
        tweak = tweak.wrapping_add(unit.tweak_step());
        block
    };
    match buffers {
        Buffers::InPlace(data) => {
            for data in data.chunks_exact_mut(len) {
                peer.unit(direction, Buffers::InPlace(data), next());
            }
        }
        Buffers::Copy { from, to } => {
            for (from, to) in from.chunks_exact(len).zip(to.chunks_exact_mut(len)) {
                peer.unit(direction, Buffers::Copy { from, to }, next());
            }
        }
    }
}

/// The same bytes as C sees them. Source and destination are valid for `len` bytes as long as the buffers are borrowed;
/// they are the same bytes or do not overlap.
struct Raw {
    from: *const u8,
    to: *mut u8,
    len: i32,
}

impl Raw {
    fn new(buffers: &mut Buffers<'_>) -> Self {
        let len = i32::try_from(buffers.len()).expect("a data unit has at most 4096 bytes");
        match buffers {
            Buffers::InPlace(data) => {
                let to = data.as_mut_ptr();
                Self { from: to, to, len }
            }
            Buffers::Copy { from, to } => {
                assert_eq!(from.len(), to.len(), "a unit keeps its length");
                Self { from: from.as_ptr(), to: to.as_mut_ptr(), len }
            }
        }
    }
}
