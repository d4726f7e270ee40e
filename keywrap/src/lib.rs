//! Keys at rest: secrets that wipe themselves, key derivation, AES key wrap, and the LUKS2 header that holds a
//! volume's data key.
//!
//! Reading order: [`secret`] and [`keys`] (what a key is), [`geometry`] (units shared with the data path),
//! [`medium`] (what a header is read from and written to), [`mod@derive`] and [`wrap`] (one key from or under another),
//! [`luks2`] (the header), [`volume`] (the verbs).
#![forbid(unsafe_code)]

pub mod derive;
pub mod geometry;
pub mod keys;
pub mod luks2;
pub mod medium;
pub mod secret;
#[cfg(test)]
mod vectors;
pub mod volume;
pub mod wrap;
