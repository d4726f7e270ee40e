//! KMIP, the Key Management Interoperability Protocol of OASIS, versions 1.0 to 1.4, 2.0 and 2.1: a client without I/O.
//!
//! ```text
//! master_keys   create, register, find, get, revoke, destroy: what a key provider needs, each safe to repeat
//! client        one server: versions, batches, which failure is which        ─▶ Exchange: bytes there and back
//! ops           the operations, a type each      attributes, key_block, id
//! message       header and batch items           fields
//! ttlv          the encoding                     tag, enums, version
//! ```
//! A line uses those below it. Nothing here opens a socket; the module `transport` does. The page `docs/kmip.md` says
//! what is covered and how it is tested.

pub mod attributes;
pub mod client;
pub mod enums;
mod error;
#[cfg(test)]
mod fake;
pub mod fields;
mod id;
mod key_block;
pub mod master_keys;
pub mod message;
pub mod ops;
mod tag;
pub mod ttlv;
mod version;

pub use client::{Client, Exchange};
pub use error::{ErrorKind, ExchangeError, KmipError};
pub use id::UniqueId;
pub use key_block::{KeyBlock, KeyWrapping};
pub use master_keys::{KeyName, MasterKeys};
pub use message::Credential;
pub use tag::Tag;
pub use version::ProtocolVersion;
