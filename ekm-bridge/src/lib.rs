//! Where master keys come from: key providers, the registry of volumes and the store that holds both.
//!
//! ```text
//! Node ─┬─ StateDir            one private directory, one lock
//!       ├─ Store               keys and values, compare-and-swap   ← EmbeddedStore (redb)
//!       ├─ KeyProvider         master keys by id                   ← InternalProvider ← RootKeySource
//!       │                                                          ← ExternalProvider ← KeyServer
//!       └─ VolumeRegistry      the volumes this node knows
//!
//! Records ─── Store            what a cluster remembers            ← ReplicatedStore, a copy on each metadata drive
//! rekey                    what may follow what when a master key is replaced and ended: pure functions
//! keyserver   one key manager: its master keys, for every thread
//!  ├─ kmip                     the protocol, without I/O
//!  └─ transport                TCP, mutual TLS, time-outs
//! trust      who we are to key servers, and the watch over certificates
//! audit      who asked for what        metrics    numbers for a monitoring system
//! rpc::Server ─▶ rpc::Control  the Element API over HTTPS, and what it needs of a node
//!                  ▲
//!             cluster::ClusterControl   all of the above in one, over the data path (VolumeHost)
//! ```
#![forbid(unsafe_code)]

pub mod alarm;
pub mod audit;
pub mod cluster;
pub mod keyserver;
pub mod kmip;
pub mod metrics;
pub mod node;
mod private_file;
pub mod provider;
pub mod records;
pub mod rekey;
pub mod rpc;
pub mod state_dir;
pub mod store;
pub mod time;
pub mod transport;
pub mod trust;

pub use keyserver::KeyServer;
pub use node::{Node, NodeError};
pub use private_file::NotPrivate;
pub use provider::{KeyProvider, ProviderError};
pub use records::registry::{self, VolumeRecord, VolumeRegistry};
pub use state_dir::StateDir;
pub use store::{ReplicatedStore, Store, StoreError};
pub use time::UnixSeconds;
