//! What the API needs of the node behind it: one trait for each group of methods.
//!
//! The API checks what can be told from the parameters alone (missing ones, contradictions, lengths of lists); an
//! implementation checks what depends on the cluster's state. Every call may block and comes from several threads.

mod cluster;
mod keys;
mod ledger;
mod places;
mod storage;

use super::error::ApiError;

pub use cluster::{Account, Accounts, AsyncResults, Cluster, Events, Faults, NewCluster};
pub use keys::{HardwareEncryption, KeyPair, KeyProviders, KeyServers, SoftwareEncryption};
pub use ledger::{HeaderBackups, Ledger};
pub use places::Places;
pub use storage::{Drives, VolumeStatistics, Volumes};

/// The outcome of every method of these traits.
pub type Outcome<T> = Result<T, ApiError>;

/// Everything.
pub trait Control:
    Accounts
    + AsyncResults
    + Cluster
    + Drives
    + Events
    + Faults
    + HardwareEncryption
    + HeaderBackups
    + KeyPair
    + KeyProviders
    + KeyServers
    + Ledger
    + Places
    + SoftwareEncryption
    + VolumeStatistics
    + Volumes
    + Send
    + Sync
{
}

impl<T> Control for T where
    T: Accounts
        + AsyncResults
        + Cluster
        + Drives
        + Events
        + Faults
        + HardwareEncryption
        + HeaderBackups
        + KeyPair
        + KeyProviders
        + KeyServers
        + Ledger
        + Places
        + SoftwareEncryption
        + VolumeStatistics
        + Volumes
        + Send
        + Sync
{
}
