//! Where master keys come from: key providers, the registry of volumes and the store that holds both.
//!
//! ```text
//! Node ─┬─ StateDir            one private directory, one lock
//!       ├─ Store               keys and values, compare-and-swap   ← EmbeddedStore (redb)
//!       ├─ KeyProvider         master keys by id                   ← InternalProvider ← RootKeySource
//!       └─ VolumeRegistry      the volumes this node knows
//!
//! rpc::Server ─▶ rpc::Control  the Element API over HTTPS, and what it needs of a node
//! ```
#![forbid(unsafe_code)]

pub mod node;
mod private_file;
pub mod provider;
pub mod registry;
pub mod rpc;
pub mod state_dir;
pub mod store;
pub mod time;

pub use node::{Node, NodeError};
pub use private_file::NotPrivate;
pub use provider::{KeyProvider, ProviderError};
pub use registry::{VolumeRecord, VolumeRegistry};
pub use state_dir::StateDir;
pub use store::{Store, StoreError};
pub use time::UnixSeconds;
