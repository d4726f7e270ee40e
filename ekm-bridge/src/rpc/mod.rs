//! The control plane: the NetApp Element API for encryption at rest, as JSON-RPC over HTTPS.
//!
//! ```text
//! bytes ─▶ server ─▶ auth ─▶ codec ─▶ methods ─▶ Control (the node)
//!          TLS,      who?    envelope  table,
//!          limits                      roles, parameters        every call ─▶ Observer (audit log, metrics)
//! ```
//! Only [`server`] knows sockets and tokio; everything else is plain functions. What is spoken and what was decided
//! where public documents are silent: `docs/rpc.md`.

pub mod auth;
pub mod codec;
pub mod control;
pub mod error;
pub mod methods;
pub mod observer;
mod params;
pub mod server;
pub mod service;
pub mod types;
pub mod version;

pub use control::Control;
pub use error::{ApiError, ErrorName};
pub use observer::Observer;
pub use server::{Hooks, Server, ServerConfig};
pub use service::Service;
