//! The NBD server: a disk offered over a Unix socket or TCP, with or without TLS.
//!
//! ```text
//!            bytes                          pieces                     Queue::start
//!  socket ──▶ connection ──▶ handshake │ transmission ──▶ connection ──▶ a worker's disk
//!  socket ◀── connection ◀── replies   ◀───────────────── finished (any order)
//! ```
//! [`handshake`] and [`transmission`] do no I/O: bytes in, events and reply bytes out, so that a test can give them
//! every byte in every split. `connection` is what joins them to a worker's ring and disks; `accept` brings connections in.
//! What is covered, option by option, is in `docs/nbd.md`.

pub mod handshake;
pub mod transmission;

mod accept;
mod connection;
mod exports;
mod fault;
mod limits;
pub(in crate::export) mod listen;
mod publisher;
mod server;
mod shared;
#[cfg(test)]
mod test_disk;
#[cfg(test)]
mod tests;
mod tls;
mod uri;
mod wire;

pub use exports::{BadExport, Export, Exports, MAX_PAYLOAD};
pub use limits::Limits;
pub use listen::{Listen, ListenError};
pub use publisher::{PublishError, Publisher};
pub use server::{BindError, Config, Handle, RunError, Server};
pub use tls::{TlsConfig, TlsError};
pub use uri::Uri;
