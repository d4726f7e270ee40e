//! Blocks in flight: cipher engines, backends, the volume (the one place where plaintext becomes ciphertext), and the
//! exports that serve it.
//!
//! ```text
//! export → disk::Disk ─ volume ─ request (parsed once) → sched (order) → cipher → backend → completion → reply
//! ```
//!
//! Reading order: [`disk`] (what an export sees), [`request`], [`sched`], [`volume`], [`cipher`], [`backend`], then the
//! [`export`]s.

pub mod backend;
pub mod buf;
pub mod cipher;
pub mod disk;
pub mod export;
pub mod limits;
pub mod request;
pub mod ring;
pub mod volume;
pub mod worker;
