//! The control plane of a cluster: what the API asks for, done with records, keys and the data path.

mod host;

pub use host::{HostError, HostErrorKind, HostStats, NewVolume, Offer, VolumeHost, WrappingKey};
