//! Numbers that name things. Distinct types, so that a drive cannot be taken for a volume.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($( $(#[doc = $doc:literal])* $name:ident, )*) => { $(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )* };
}

ids! {
    /// A tenant's account.
    AccountId,
    /// Work that goes on after a reply.
    AsyncHandleId,
    /// A drive.
    DriveId,
    /// An entry of the event log.
    EventId,
    /// A cluster fault.
    FaultId,
    /// A key provider.
    KeyProviderId,
    /// A key server.
    KeyServerId,
    /// A node; 0 where none is meant.
    NodeId,
    /// A quality-of-service policy.
    QosPolicyId,
    /// A service of a node; 0 where none is meant.
    ServiceId,
    /// A volume access group.
    VolumeAccessGroupId,
    /// A volume.
    VolumeId,
}
