//! The cluster and its accounts.

use ekm_bridge::rpc::ErrorName;
use ekm_bridge::rpc::control::{Account, Accounts, Cluster, NewCluster, Outcome};
use ekm_bridge::rpc::types::NodeId;
use ekm_bridge::rpc::types::cluster::{ClusterInfo, ClusterState, NodeClusterState, NodeState};
use ekm_bridge::rpc::types::sear::SearState;
use ekm_bridge::rpc::types::sed::SedState;
use ekm_bridge::rpc::types::volumes::ProtectionScheme;
use uuid::Uuid;

use super::{Model, NODE, NODE_ADDRESS, fail};

impl Accounts for Model {
    fn account(&self, user: &str) -> Outcome<Option<Account>> {
        Ok(self.state().accounts.iter().find(|account| account.name == user).cloned())
    }
}

impl Cluster for Model {
    fn cluster_exists(&self) -> Outcome<bool> {
        Ok(self.state().cluster.is_some())
    }

    fn create_cluster(&self, new: NewCluster) -> Outcome<()> {
        let mut state = self.state();
        if state.cluster.is_some() {
            return fail(ErrorName::ClusterAlreadyCreated, "the cluster exists already");
        }
        if !new.nodes.iter().any(|node| node == NODE_ADDRESS) {
            return fail(ErrorName::InvalidParameter, "parameter `nodes` does not name this node");
        }
        if new.software_encryption {
            state.master_key = Some(super::sear::new_key(None));
        }
        state.accounts.push(new.administrator.clone());
        state.cluster = Some(new);
        state.report("clusterMasterEvent", "the cluster was created".into());
        for slot in 1..=4 {
            let drive = super::drives::available(slot);
            state.drives.insert(drive.id, drive);
        }
        Ok(())
    }

    fn cluster_info(&self) -> Outcome<ClusterInfo> {
        let state = self.state();
        let cluster = state.cluster.as_ref().expect("only asked once there is one");
        let is_encrypted = cluster.software_encryption;
        Ok(ClusterInfo {
            name: "model".into(),
            unique_id: "mdl0".into(),
            uuid: Uuid::from_u128(1),
            mvip: cluster.mvip.clone(),
            mvip_node: NODE,
            mvip_interface: None,
            mvip_vlan_tag: None,
            svip: cluster.svip.clone(),
            svip_node: NODE,
            svip_interface: None,
            svip_vlan_tag: None,
            ensemble: cluster.nodes.clone(),
            rep_count: 1,
            encryption_at_rest_state: if state.drive_key.is_some() { SedState::Enabled } else { SedState::Disabled },
            software_encryption_at_rest_state: if is_encrypted { SearState::Enabled } else { SearState::Disabled },
            supported_protection_schemes: vec![ProtectionScheme::SingleHelix],
            enabled_protection_schemes: vec![ProtectionScheme::SingleHelix],
            default_protection_scheme: ProtectionScheme::SingleHelix,
            attributes: cluster.attributes.clone(),
        })
    }

    fn cluster_state(&self) -> Outcome<ClusterState> {
        Ok(match self.state().cluster {
            Some(_) => ClusterState { cluster: "model".into(), state: NodeState::Active },
            None => ClusterState { cluster: String::new(), state: NodeState::Available },
        })
    }

    fn cluster_states(&self) -> Outcome<Vec<NodeClusterState>> {
        Ok(vec![NodeClusterState { node: NODE, result: Some(self.cluster_state()?) }])
    }

    fn nodes(&self) -> Outcome<Vec<NodeId>> {
        Ok(vec![NODE])
    }
}
