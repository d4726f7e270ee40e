//! Every object of the Element API that is spoken here, with the members, spellings and nulls of the wire.
//!
//! An optional member of a result is sent as null, unless its docstring says "left out": public clients take both for
//! `None`. An optional parameter may be missing or null.

pub mod async_results;
pub mod cluster;
pub mod drives;
pub mod events;
pub mod faults;
pub mod fips;
mod ids;
pub mod key_providers;
pub mod key_servers;
pub mod ledger;
pub mod limits;
pub mod places;
pub mod sear;
pub mod sed;
pub mod stats;
mod timestamp;
pub mod trust;
pub mod volumes;
mod words;

use serde::{Deserialize, Serialize};

pub use ids::{
    AccountId, AsyncHandleId, DriveId, EventId, FaultId, KeyProviderId, KeyServerId, NodeId, QosPolicyId, ServiceId,
    VolumeAccessGroupId, VolumeId,
};
pub use timestamp::Timestamp;

/// Parameters of a method that has none.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct NoParams {}

/// The result of a method that returns nothing: `{}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Nothing {}

/// The handle of work that goes on after the reply; ask `GetAsyncResult` how it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AsyncHandle {
    /// The handle.
    #[serde(rename = "asyncHandle")]
    pub async_handle: AsyncHandleId,
}

#[cfg(test)]
mod tests;
