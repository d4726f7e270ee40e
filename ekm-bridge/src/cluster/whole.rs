//! The cluster as a whole: its accounts, its making, what it tells of itself.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::control::{ClusterControl, NODE};
use super::errors::{of_provider, of_record};
use super::ledger::step_in;
use super::report::{API_EVENT, event, ids};
use crate::provider::KeyProvider;
use crate::records::{self, ApiUser, EventLog, Management, MasterKeyRecord, MasterKeyState, Only, RecordError};
use crate::rpc::auth::{PasswordHash, Role};
use crate::rpc::control::{Account, Accounts, Cluster, NewCluster, Outcome};
use crate::rpc::types::NodeId;
use crate::rpc::types::cluster::{ClusterInfo, ClusterState, NodeClusterState, NodeState};
use crate::rpc::types::sear::SearState;
use crate::rpc::types::sed::SedState;
use crate::rpc::types::volumes::ProtectionScheme;
use crate::rpc::{ApiError, ErrorName};

impl Accounts for ClusterControl {
    fn account(&self, user: &str) -> Outcome<Option<Account>> {
        let Some(cluster) = self.cluster()? else { return Ok(None) };
        cluster.user(user).map(account).transpose()
    }
}

fn account(user: &ApiUser) -> Outcome<Account> {
    let damaged = || ApiError::new(ErrorName::AssertionFailure, format!("the account {} cannot be read", user.name));
    let role = user.roles.iter().filter_map(|role| Role::parse(role)).max();
    let password = PasswordHash::parse(user.password.as_str());
    match (role, password) {
        (Some(role), Some(password)) => Ok(Account { name: user.name.clone(), role, password }),
        _ => Err(damaged()),
    }
}

impl Cluster for ClusterControl {
    fn cluster_exists(&self) -> Outcome<bool> {
        Ok(self.cluster()?.is_some())
    }

    /// A key that was made for a cluster that then was not (a crash, a faster caller) stays in the internal provider,
    /// wrapped and unused.
    fn create_cluster(&self, new: NewCluster) -> Outcome<()> {
        if self.cluster_exists()? {
            return Err(exists());
        }
        self.check_nodes(&new.nodes)?;
        let key = if new.software_encryption { Some(self.first_key()?) } else { None };
        let cluster = self.record(&new, key.as_ref())?;
        let (now, what) = (self.now(), event("clusterMasterEvent", "The cluster was created.", ids([])));
        self.records.transact(|work| {
            if work.get::<records::Cluster>(Only)?.is_some() {
                return Err(exists().into());
            }
            if let Some(key) = &key {
                work.put(key)?;
                step_in(work, key.id, MasterKeyState::Active, "made with the cluster, and in force", now)?;
            }
            work.put(&cluster)?;
            EventLog::new(&self.records).append_in(work, &what, now)?;
            Ok::<(), Failed>(())
        })?;
        key.iter().for_each(|key| self.witness(key.id));
        // The cluster is made, whatever becomes of volumes that there were before.
        if let Err(error) = self.take_over() {
            tracing::warn!("volumes that were made before the cluster are not taken over yet: {error}");
        }
        Ok(())
    }

    fn cluster_info(&self) -> Outcome<ClusterInfo> {
        let cluster = self.need_cluster()?;
        let is_on = cluster.encryption.enabled;
        Ok(ClusterInfo {
            unique_id: short(cluster.uuid),
            name: cluster.name,
            uuid: cluster.uuid,
            ensemble: vec![cluster.mvip.clone()],
            mvip: cluster.mvip,
            mvip_node: NODE,
            mvip_interface: None,
            mvip_vlan_tag: None,
            svip: cluster.svip,
            svip_node: NODE,
            svip_interface: None,
            svip_vlan_tag: None,
            rep_count: 1,
            encryption_at_rest_state: SedState::Disabled,
            software_encryption_at_rest_state: if is_on { SearState::Enabled } else { SearState::Disabled },
            supported_protection_schemes: vec![ProtectionScheme::SingleHelix],
            enabled_protection_schemes: vec![ProtectionScheme::SingleHelix],
            default_protection_scheme: ProtectionScheme::SingleHelix,
            attributes: cluster.attributes,
        })
    }

    fn cluster_state(&self) -> Outcome<ClusterState> {
        Ok(match self.cluster()? {
            Some(cluster) => ClusterState { cluster: cluster.name, state: NodeState::Active },
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

impl ClusterControl {
    fn check_nodes(&self, nodes: &[String]) -> Outcome<()> {
        let ours = &self.config.addresses;
        if ours.is_empty() || nodes.iter().any(|node| ours.contains(node)) {
            return Ok(());
        }
        let message = format!("parameter `nodes` does not name this node ({})", ours.join(", "));
        Err(ApiError::new(ErrorName::InvalidParameter, message))
    }

    /// The internal master key that software encryption begins with, durable, and in force with the cluster.
    fn first_key(&self) -> Outcome<MasterKeyRecord> {
        let id = self.internal.create_key().map_err(of_provider)?;
        let (management, created) = (Management::Internal, self.now());
        let unique_identifiers = Default::default();
        Ok(MasterKeyRecord { id, management, unique_identifiers, created, state: MasterKeyState::Active })
    }

    fn record(&self, new: &NewCluster, key: Option<&MasterKeyRecord>) -> Outcome<records::Cluster> {
        let phc = new.administrator.password.to_phc();
        let bad_hash = |_| ApiError::new(ErrorName::AssertionFailure, "the password's hash cannot be recorded");
        let user = ApiUser {
            name: new.administrator.name.clone(),
            password: records::PasswordHash::try_from(phc).map_err(bad_hash)?,
            roles: BTreeSet::from([new.administrator.role.as_str().to_owned()]),
        };
        let mut cluster = records::Cluster {
            name: self.config.name.clone(),
            uuid: Uuid::new_v4(),
            mvip: new.mvip.clone(),
            svip: new.svip.clone(),
            created: self.now(),
            encryption: Default::default(),
            users: vec![user],
            attributes: new.attributes.clone(),
        };
        if let Some(key) = key {
            cluster.enable_encryption(key.id);
        }
        Ok(cluster)
    }

    /// Leaves an event of a setting that was changed over the API.
    pub(super) fn changed(&self, message: &str) -> Outcome<()> {
        let what = event(API_EVENT, message, ids([]));
        EventLog::new(&self.records).append(&what, self.now()).map(drop).map_err(of_record)
    }
}

/// An error of the API on its way through a transaction of records.
pub(super) struct Failed(pub(super) ApiError);

impl From<RecordError> for Failed {
    fn from(error: RecordError) -> Self {
        Self(of_record(error))
    }
}

impl From<ApiError> for Failed {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<Failed> for ApiError {
    fn from(failed: Failed) -> Self {
        failed.0
    }
}

fn exists() -> ApiError {
    ApiError::new(ErrorName::ClusterAlreadyCreated, "the cluster exists already")
}

/// Four letters of the UUID, for names on a network.
fn short(uuid: Uuid) -> String {
    uuid.simple().to_string().chars().take(4).collect()
}
