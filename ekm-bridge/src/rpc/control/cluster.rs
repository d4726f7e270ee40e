//! The cluster, who may administer it, what it reports.

use serde_json::{Map, Value};

use super::Outcome;
use crate::rpc::auth::{PasswordHash, Role};
use crate::rpc::types::async_results::{AsyncEntry, AsyncResult, AsyncResultType};
use crate::rpc::types::cluster::{ClusterInfo, ClusterState, NodeClusterState};
use crate::rpc::types::events::{EventInfo, ListEvents};
use crate::rpc::types::faults::{ClusterFaultInfo, FaultFilter, ListFaults};
use crate::rpc::types::{AsyncHandleId, NodeId};

/// Somebody who may use the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Their password, hashed.
    pub password: PasswordHash,
}

/// The accounts of the cluster.
pub trait Accounts {
    /// The account of this user. Asked for every request, so a change takes effect with the next one.
    ///
    /// # Errors
    /// When the store cannot be read; the request is then refused.
    fn account(&self, user: &str) -> Outcome<Option<Account>>;
}

/// What `CreateCluster` asks for, the password already hashed.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCluster {
    /// Address of the management interface.
    pub mvip: String,
    /// Address of the storage interface.
    pub svip: String,
    /// Addresses of the nodes, at least one.
    pub nodes: Vec<String>,
    /// Names and values for the caller's own use.
    pub attributes: Map<String, Value>,
    /// Whether volumes are encrypted.
    pub software_encryption: bool,
    /// The first account.
    pub administrator: Account,
}

/// The cluster as a whole.
pub trait Cluster {
    /// Whether [`Self::create_cluster`] has run. Once true it stays true.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn cluster_exists(&self) -> Outcome<bool>;

    /// Makes the cluster and its first account, both or neither.
    ///
    /// # Errors
    /// `xClusterAlreadyCreated` when there is one, also for the slower of two callers at the same time;
    /// `xInvalidParameter` when this node is not among the nodes.
    fn create_cluster(&self, new: NewCluster) -> Outcome<()>;

    /// What `GetClusterInfo` tells.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn cluster_info(&self) -> Outcome<ClusterInfo>;

    /// This node's part in the cluster; answers also before there is one.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn cluster_state(&self) -> Outcome<ClusterState>;

    /// The same of every node.
    ///
    /// # Errors
    /// When the store cannot be read. A node that does not answer is an entry without a result.
    fn cluster_states(&self) -> Outcome<Vec<NodeClusterState>>;

    /// The nodes of the cluster.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn nodes(&self) -> Outcome<Vec<NodeId>>;
}

/// Work that goes on after a reply.
pub trait AsyncResults {
    /// How it went. Unless `keep`, a final answer is given once: it is then forgotten.
    ///
    /// # Errors
    /// `xDBNoSuchPath` with `/asyncresults/<id>` in the message when there is no such handle (any more).
    fn async_result(&self, id: AsyncHandleId, keep: bool) -> Outcome<AsyncResult>;

    /// All that are known, of these types if given; forgets none.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn async_results(&self, types: Option<&[AsyncResultType]>) -> Outcome<Vec<AsyncEntry>>;
}

/// Cluster faults.
pub trait Faults {
    /// Faults that [`ListFaults::matches`], newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn faults(&self, filter: ListFaults) -> Outcome<Vec<ClusterFaultInfo>>;

    /// Forgets faults. A fault whose cause is still there comes back.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn clear_faults(&self, which: FaultFilter) -> Outcome<()>;
}

/// The event log.
pub trait Events {
    /// Events that [`ListEvents::matches`], oldest first, the newest `max_events` of them.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn events(&self, filter: &ListEvents) -> Outcome<Vec<EventInfo>>;
}
