//! Blocks in flight: cipher engines, backends, the volume (the one place where plaintext becomes ciphertext), and the
//! exports that serve it.
//!
//! ```text
//! export ─┬─ worker: ports on a ring ─ volume::Queue ─┬─ request (parsed once) ─ claims (order) ─ cipher ─ backend
//!         └─ any thread ─ disk::BlockingDisk ─────────┘
//! ```
//!
//! Reading order: [`disk`] (what an export sees), [`request`], [`volume`], [`cipher`], [`backend`]; then [`ring`] and
//! [`worker`] (a thread that serves), then the [`export`]s.

pub mod backend;
pub mod buf;
pub mod cipher;
pub mod disk;
pub mod export;
pub mod limits;
pub mod request;
pub mod ring;
mod table;
pub mod volume;
pub mod worker;
