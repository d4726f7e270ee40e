//! The cluster as a whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::NodeId;
use super::sear::SearState;
use super::sed::SedState;
use super::volumes::ProtectionScheme;
use super::words::words;

/// Result of `GetAPI`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Api {
    /// The newest version spoken.
    pub current_version: String,
    /// Every version that a path may name.
    pub supported_versions: Vec<String>,
    /// The methods, under the current version.
    #[serde(flatten)]
    pub methods: BTreeMap<String, Vec<&'static str>>,
}

/// A password on its way to being hashed. It cannot be printed and is wiped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Wraps a password.
    #[must_use]
    pub fn new(password: String) -> Self {
        Self(Zeroizing::new(password))
    }

    /// The password. The name is long on purpose: every use should be easy to find.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Parameters of `CreateCluster`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateCluster {
    /// Address of the management interface.
    pub mvip: String,
    /// Address of the storage interface.
    pub svip: String,
    /// Name of the first administrator.
    pub username: String,
    /// Their password.
    pub password: Password,
    /// Addresses of the nodes, this one among them.
    pub nodes: Vec<String>,
    /// Accepted and without meaning: there is no licence agreement to accept.
    pub accept_eula: Option<bool>,
    /// Accepted and without meaning.
    pub serial_number: Option<String>,
    /// Accepted and without meaning.
    pub order_number: Option<String>,
    /// Names and values for the caller's own use.
    pub attributes: Option<Map<String, Value>>,
    /// True when not given: this system has software only.
    pub enable_software_encryption_at_rest: Option<bool>,
}

/// `ClusterInfo`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterInfo {
    /// The cluster's name.
    pub name: String,
    /// Short id, in the names of volumes on the network.
    #[serde(rename = "uniqueID")]
    pub unique_id: String,
    /// The id.
    pub uuid: Uuid,
    /// Address of the management interface.
    pub mvip: String,
    /// The node that has it.
    #[serde(rename = "mvipNodeID")]
    pub mvip_node: NodeId,
    /// Its network interface.
    pub mvip_interface: Option<String>,
    /// Its VLAN.
    pub mvip_vlan_tag: Option<String>,
    /// Address of the storage interface.
    pub svip: String,
    /// The node that has it.
    #[serde(rename = "svipNodeID")]
    pub svip_node: NodeId,
    /// Its network interface.
    pub svip_interface: Option<String>,
    /// Its VLAN.
    pub svip_vlan_tag: Option<String>,
    /// Addresses of the nodes that keep the cluster's records.
    pub ensemble: Vec<String>,
    /// Copies of each block; 1 here.
    pub rep_count: u64,
    /// Hardware encryption at rest.
    pub encryption_at_rest_state: SedState,
    /// Software encryption at rest.
    pub software_encryption_at_rest_state: SearState,
    /// What could be chosen.
    pub supported_protection_schemes: Vec<ProtectionScheme>,
    /// What may be chosen.
    pub enabled_protection_schemes: Vec<ProtectionScheme>,
    /// What is chosen.
    pub default_protection_scheme: ProtectionScheme,
    /// From `CreateCluster`.
    pub attributes: Map<String, Value>,
}

/// Result of `GetClusterInfo`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OneClusterInfo {
    /// The cluster.
    pub cluster_info: ClusterInfo,
}

words! {
    /// What a node is to a cluster.
    NodeState {
        /// Configured, in no cluster.
        Available = "Available",
        /// Asked to join.
        Pending = "Pending",
        /// A member.
        Active = "Active",
    }
}

/// Parameters of `GetClusterState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct GetClusterState {
    /// True to ask all nodes of the cluster; otherwise this node answers for itself.
    pub force: Option<bool>,
}

/// The state of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClusterState {
    /// The cluster's name; empty when there is none.
    pub cluster: String,
    /// This node's part in it.
    pub state: NodeState,
}

/// An entry of `GetClusterState` for all nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeClusterState {
    /// The node.
    #[serde(rename = "nodeID")]
    pub node: NodeId,
    /// Its answer; null when it gave none.
    pub result: Option<ClusterState>,
}

/// Result of `GetClusterState`: of all nodes or of this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ClusterStates {
    /// With `force`.
    Nodes {
        /// One entry for each node.
        nodes: Vec<NodeClusterState>,
    },
    /// Without.
    Node(ClusterState),
}
