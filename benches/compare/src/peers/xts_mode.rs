//! The crates `aes` and `xts-mode`, as most Rust programs put them together.

use aes::Aes256;
use aes::cipher::KeyInit;
use datapath::cipher::{Buffers, Direction};
use keywrap::keys::VolumeKey;
use xts_mode::Xts128;

use super::Peer;

struct XtsMode(Xts128<Aes256>);

pub(super) fn version() -> String {
    "crates aes 0.9 and xts-mode 0.6".to_owned()
}

pub(super) fn peer(key: &VolumeKey) -> Box<dyn Peer> {
    let half = |bytes| Aes256::new_from_slice(bytes).expect("half a key of AES-256-XTS has 32 bytes");
    let (k1, k2) = key.expose_secret().split_at(key.len() / 2);
    Box::new(XtsMode(Xts128::new(half(k1), half(k2))))
}

impl Peer for XtsMode {
    fn unit(&mut self, direction: Direction, buffers: Buffers<'_>, tweak: [u8; 16]) {
        let data = match buffers {
            Buffers::InPlace(data) => data,
            Buffers::Copy { from, to } => {
                to.copy_from_slice(from);
                to
            }
        };
        match direction {
            Direction::Encrypt => self.0.encrypt_sector(data, tweak.into()),
            Direction::Decrypt => self.0.decrypt_sector(data, tweak.into()),
        }
    }
}
