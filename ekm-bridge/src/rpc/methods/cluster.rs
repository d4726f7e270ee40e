//! The API itself and the cluster.

use std::collections::BTreeMap;

use super::call::{Call, check_length, check_list, invalid};
use super::row::{Method, method};
use crate::rpc::auth::{PasswordHash, Role};
use crate::rpc::control::{Account, NewCluster, Outcome};
use crate::rpc::types::cluster::{Api, ClusterStates, CreateCluster, GetClusterState, OneClusterInfo};
use crate::rpc::types::fips::FipsReport;
use crate::rpc::types::limits::Limits;
use crate::rpc::types::{NoParams, Nothing};
use crate::rpc::version::Version;

/// Nodes of a cluster, at most; Element's own limit.
const MAX_NODES: usize = 100;
const MAX_USER_CHARS: usize = 64;
/// Characters of a password: at least as NIST SP 800-63B §5.1.1.1 wants it, at most what is hashed without thought.
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=256;

pub(super) const METHODS: &[Method] = &[
    method!("GetAPI", (1, 0), Both, ReadOnly, Always, |_call, _params: NoParams| Ok(api())),
    method!("CreateCluster", (1, 0), Both, Administrator, Always, |call, params: CreateCluster| create(call, params)),
    method!("GetClusterInfo", (1, 0), Cluster, ReadOnly, Created, |call, _params: NoParams| {
        call.control.cluster_info().map(|cluster_info| OneClusterInfo { cluster_info })
    }),
    method!("GetClusterState", (5, 0), Both, ReadOnly, Always, |call, params: GetClusterState| state(call, params)),
    method!("GetLimits", (1, 0), Cluster, ReadOnly, Always, |_call, _params: NoParams| Ok(Limits::CURRENT)),
    method!("GetFipsReport", (10, 3), Cluster, ReadOnly, Created, |call, _params: NoParams| {
        call.control.nodes().map(FipsReport::of)
    }),
];

/// What `GetAPI` tells: the versions, and all methods under the current one.
fn api() -> Api {
    let current = Version::CURRENT.to_string();
    let mut names: Vec<&str> = super::all().map(|method| method.name).collect();
    names.sort_unstable();
    Api {
        methods: BTreeMap::from([(current.clone(), names)]),
        current_version: current,
        supported_versions: Version::SUPPORTED.iter().map(Version::to_string).collect(),
    }
}

fn create(call: &Call<'_>, params: CreateCluster) -> Outcome<Nothing> {
    check_user(&params.username)?;
    let chars = params.password.expose_secret().chars().count();
    if !PASSWORD_CHARS.contains(&chars) {
        let (min, max) = (PASSWORD_CHARS.start(), PASSWORD_CHARS.end());
        return Err(invalid(format!("parameter `password` has to have {min} to {max} characters")));
    }
    check_list("nodes", &params.nodes, MAX_NODES)?;
    // Hashing costs memory and time: not for somebody who comes too late.
    if call.control.cluster_exists()? {
        return Err(crate::rpc::error::ApiError::new(
            crate::rpc::error::ErrorName::ClusterAlreadyCreated,
            "the cluster exists already",
        ));
    }
    let password = PasswordHash::of(&params.password)?;
    call.control.create_cluster(NewCluster {
        mvip: params.mvip,
        svip: params.svip,
        nodes: params.nodes,
        attributes: params.attributes.unwrap_or_default(),
        software_encryption: params.enable_software_encryption_at_rest.unwrap_or(true),
        administrator: Account { name: params.username, role: Role::Administrator, password },
    })?;
    Ok(Nothing {})
}

/// A colon would end the name in the header of basic authentication (RFC 7617 §2).
fn check_user(name: &str) -> Outcome<()> {
    check_length("username", name, MAX_USER_CHARS)?;
    if name.contains(|c: char| c == ':' || c.is_control()) {
        return Err(invalid("parameter `username` contains a colon or a control character"));
    }
    Ok(())
}

fn state(call: &Call<'_>, params: GetClusterState) -> Outcome<ClusterStates> {
    if params.force == Some(true) && call.control.cluster_exists()? {
        return call.control.cluster_states().map(|nodes| ClusterStates::Nodes { nodes });
    }
    call.control.cluster_state().map(ClusterStates::Node)
}
