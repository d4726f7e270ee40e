//! Plaintext that is reproducible and different at every place.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// `len` bytes that look random and depend on `seed` only (the SplitMix64 sequence of Steele, Lea and Flood, 2014).
#[must_use]
pub fn pattern(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// Writes a file of `len` bytes, one [`pattern`] after another per mebibyte.
///
/// # Panics
/// When the file cannot be written.
pub fn filled_file(path: &Path, seed: u64, len: u64) {
    let file = File::create_new(path).unwrap_or_else(|error| panic!("cannot create {}: {error}", path.display()));
    let mut file = BufWriter::new(file);
    let mut left = len;
    let mut piece = seed << 32;
    while left > 0 {
        let size = usize::try_from(left.min(1 << 20)).expect("at most a mebibyte");
        file.write_all(&pattern(piece, size)).expect("the file can be written");
        left -= size as u64;
        piece += 1;
    }
    file.into_inner().expect("the file can be written").sync_all().expect("the file can be synced");
}
