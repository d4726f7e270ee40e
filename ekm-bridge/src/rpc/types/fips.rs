//! What is validated to FIPS 140.

use serde::Serialize;

use super::NodeId;
use super::words::words;

words! {
    /// How many drives of a node are FIPS drives.
    FipsDrives {
        /// None.
        None = "None",
        /// Some.
        Partial = "Partial",
        /// All.
        Ready = "Ready",
    }
}

/// A node that answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FipsNode {
    /// The node.
    #[serde(rename = "nodeID")]
    pub node: NodeId,
    /// Whether its HTTPS uses a validated module.
    pub https_enabled: bool,
    /// Its drives.
    pub fips_drives: FipsDrives,
}

/// A node that did not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FipsErrorNode {
    /// The node.
    #[serde(rename = "nodeID")]
    pub node: NodeId,
    /// Why not.
    pub error: FipsError,
}

/// Why a node did not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FipsError {
    /// As in the error of a call.
    pub name: String,
    /// What happened.
    pub message: String,
}

/// Result of `GetFipsReport`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FipsReport {
    /// Nodes that answered.
    pub nodes: Vec<FipsNode>,
    /// Nodes that did not.
    pub error_nodes: Vec<FipsErrorNode>,
}

impl FipsReport {
    /// The truth about nodes of this software: its cryptographic module is not validated, and whether a drive is
    /// cannot be seen through a file or block device.
    #[must_use]
    pub fn of(nodes: impl IntoIterator<Item = NodeId>) -> Self {
        let node = |node| FipsNode { node, https_enabled: false, fips_drives: FipsDrives::None };
        Self { nodes: nodes.into_iter().map(node).collect(), error_nodes: Vec::new() }
    }
}
