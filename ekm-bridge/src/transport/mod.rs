//! Taking KMIP messages to a server: TCP, mutual TLS, time-outs, and when to use a connection again.
//!
//! ```text
//! Connection (an Exchange) ─▶ Session: one TLS connection, one message at a time ─▶ Timed: a socket with a deadline
//!      │  endpoints in order, idle connections, one retry
//!      └─ TlsIdentity: whom we trust and who we are          explain: what a failure means and what to do
//! ```
//! Everything blocks, and nothing blocks for longer than the time-outs of [`ServerConfig`], but for the resolver of
//! host names, which has its own.

mod backoff;
mod config;
mod connection;
mod endpoint;
mod explain;
mod identity;
mod session;
#[cfg(test)]
mod tests;
mod timed;

pub use backoff::Backoff;
pub use config::ServerConfig;
pub use connection::Connection;
pub use endpoint::{BadEndpoint, Endpoint};
pub use identity::{IdentityError, TlsIdentity};
