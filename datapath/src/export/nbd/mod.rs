//! The NBD server: a disk offered over a Unix socket or TCP, with or without TLS.
//!
//! ```text
//!               bytes                       events                      disk::Io
//!  socket ──▶ reader ──▶ handshake │ transmission ──▶ connection ──▶ Disk::submit
//!  socket ◀── writer ◀── replies   ◀──────────────── Outcome (any order, any thread)
//! ```
//! [`handshake`] and [`transmission`] do no I/O: bytes in, events and reply bytes out, so that a test can give them
//! every byte in every split. `server`, `connection` and `tls` do the I/O and know nothing of the protocol's bytes.
//! What is covered, option by option, is in `docs/nbd.md`.

pub mod handshake;
pub mod transmission;

mod budget;
mod connection;
mod exports;
mod fault;
mod limits;
mod listen;
mod negotiate;
mod outbox;
mod pool;
mod server;
mod socket;
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
pub use server::{BindError, Config, Handle, RunError, Server};
pub use tls::{TlsConfig, TlsError};
pub use uri::Uri;
