//! The control plane of a cluster: what the API asks for, done with records, keys and the data path.
//!
//! ```text
//! rpc ─▶ ClusterControl ─┬─ Records             what is remembered: cluster, servers, keys, volumes, faults, events
//!        (rpc::Control)  ├─ InternalProvider    master keys of our own
//!                        ├─ ExternalProvider…   one for each key provider, over its key servers   ← Contact
//!                        ├─ ReplicatedStore     the metadata drives
//!                        └─ VolumeHost          the data path
//! headers   what wraps a volume's key, and what may      rekey   the steps of crate::rekey, durable
//! places    volumes outside of the data directory         volumes those in it, and what holds for all
//! ledger    master keys from first to last, with proof   run     start ─▶ unlock ─▶ rekey goes on ─▶ tend ─▶ stop
//! ```
//! The order of every change: what is about to happen is durable, then it happens, then that it happened is durable.
//! So whatever moment the process ends at, the next start finds out what was going on and ends it.

mod control;
mod errors;
mod headers;
mod host;
mod journal;
mod keys;
mod ledger;
mod places;
mod rekey;
mod report;
mod run;
mod shared_clock;
mod trusted_time;
mod volumes;
mod whole;

pub use control::{ClusterControl, Config, Decommission, Parts};
pub use host::{ChangedPassphrases, Found, HostPlaces, NewPassphrase, NewPlaced};
pub use host::{HostError, HostErrorKind, HostStats, NewVolume, Offer, VolumeHost, WrappingKey};
pub use journal::Journal;
pub use keys::{Contact, KmipContact};
pub use run::{Running, StartError};
