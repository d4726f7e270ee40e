//! Keys: the cluster's key pair, key servers, key providers, and the master keys they hold.

mod contact;
mod counted;
mod kmip_server;
mod master_keys;
mod pair;
mod providers;
mod sear;
mod servers;

pub use contact::{Contact, KmipContact};
pub(super) use master_keys::Owned;
pub(super) use sear::key_info;
