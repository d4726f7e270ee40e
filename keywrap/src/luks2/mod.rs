//! The LUKS2 on-disk format, version 2 of "LUKS2 On-Disk Format Specification" (cryptsetup project).
//!
//! ```text
//! bytes ── binary ──> RawHeader ── header + json ──> CheckedHeader ── select ──> which copy ── supported ──> Store
//! ```
//! Reading order. The header: [`binary`], [`json`], [`header`] (one copy), [`select`] (two copies), [`supported`]
//! (what is refused), [`store`] (the order of writes), [`create`], [`restore`], [`lock`], [`area`], [`wipe`]. A keyslot's contents:
//! [`hash`], [`kdf`], [`af`], [`area_cipher`], [`keyslot`], [`digest`]. What Sear adds: [`token`], [`mac`].
//! `docs/format/luks2.md` has the bytes, `docs/format/header-writes.md` the crash cases.

pub mod af;
pub mod area;
pub mod area_cipher;
pub mod binary;
pub mod create;
pub mod digest;
pub mod hash;
pub mod header;
pub mod json;
pub mod kdf;
pub mod keyslot;
pub mod lock;
pub mod mac;
pub mod restore;
pub mod select;
pub mod store;
pub mod supported;
pub mod token;
pub mod wipe;
