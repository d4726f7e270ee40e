//! Blocks in flight: cipher engines, backends, the volume (the one place where plaintext becomes ciphertext), and the
//! exports that serve it.

pub mod buf;
pub mod disk;
