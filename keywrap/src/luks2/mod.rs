//! The LUKS2 header (LUKS2 On-Disk Format Specification, cryptsetup project).

pub mod af;
pub mod area_cipher;
pub mod digest;
pub mod hash;
pub mod kdf;
pub mod keyslot;
