//! The control plane of a cluster: what the API asks for, done with records, keys and the data path.
//!
//! ```text
//! rpc ─▶ ClusterControl ─┬─ Records             what is remembered: cluster, servers, keys, volumes, faults, events
//!        (rpc::Control)  ├─ InternalProvider    master keys of our own
//!                        ├─ ExternalProvider…   one for each key provider, over its key servers   ← Contact
//!                        ├─ ReplicatedStore     the metadata drives
//!                        └─ VolumeHost          the data path
//! run: start ─▶ unlock ─▶ rekey goes on ─▶ tend, every half second ─▶ stop
//! ```
//! The order of every change: what is about to happen is durable, then it happens, then that it happened is durable.
//! So whatever moment the process ends at, the next start finds out what was going on and ends it.

mod control;
mod errors;
mod host;
mod keys;
mod rekey;
mod report;
mod run;
mod shared_clock;
mod volumes;
mod whole;

pub use control::{ClusterControl, Config, Parts};
pub use host::{HostError, HostErrorKind, HostStats, NewVolume, Offer, VolumeHost, WrappingKey};
pub use keys::{Contact, KmipContact};
pub use run::{Running, StartError};
