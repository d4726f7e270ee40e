//! A node with external keys, and its key managers.

use std::error::Error;
use std::time::Instant;

use sear_tests::rig::https::Client;
use sear_tests::rig::pypi::{Server, Start};
use sear_tests::rig::{Daemon, Local, Node};
use serde_json::{Value, json};

/// The administrator of every cluster.
pub(crate) const USER: (&str, &str) = ("admin", "correct horse");

/// The size of every volume.
const SIZE: u64 = 1_024_000_000;

/// A node and its key managers.
pub(crate) struct World {
    pub(crate) node: Node,
    pub(crate) servers: Vec<Server>,
}

impl World {
    /// A node whose master key is at so many key managers, and whose state is on a metadata drive; its daemon, which
    /// serves.
    pub(crate) fn new(servers: usize) -> Result<(Self, Daemon), Box<dyn Error>> {
        Self::of(Node::with_drives(1), servers)
    }

    /// The same for this node.
    pub(crate) fn of(node: Node, servers: usize) -> Result<(Self, Daemon), Box<dyn Error>> {
        let servers: Option<Vec<Server>> = (0..servers).map(|_| Start::extended().or_skip()).collect();
        let servers = servers.ok_or("the key manager cannot be started; what is missing is said above")?;
        let daemon = node.start();
        daemon.local.create_cluster(USER.1);
        let world = Self { node, servers };
        if !world.servers.is_empty() {
            world.use_external_keys(&daemon.local);
        }
        Ok((world, daemon))
    }

    fn use_external_keys(&self, local: &Local) {
        local.ok("CreatePublicPrivateKeyPair", json!({}));
        let request = local.ok("GetClientCertificateSignRequest", json!({}));
        let request = request["clientCertificateSignRequest"].as_str().unwrap_or_default();
        let prepared = self.servers[0].prepared();
        let client = prepared.sign(request);
        local.ok("CreateKeyProviderKmip", json!({"keyProviderName": "keys"}));
        for (number, server) in (1..).zip(&self.servers) {
            let new = json!({"kmipCaCertificate": prepared.authority(), "kmipClientCertificate": client,
                             "kmipKeyServerHostnames": ["localhost"], "kmipKeyServerName": format!("kms-{number}"),
                             "kmipKeyServerPort": server.port()});
            local.ok("CreateKeyServerKmip", new);
            local.ok("AddKeyServerToProviderKmip", json!({"keyProviderID": 1, "keyServerID": number}));
        }
        let external = json!({"keyManagementType": "External", "keyProviderID": 1});
        let handle = local.ok("RekeySoftwareEncryptionAtRestMasterKey", external)["asyncHandle"].clone();
        let result = local.wait_for(&handle);
        assert!(result.get("error").is_none(), "{result}");
    }
}

/// The parameters of a new volume.
pub(crate) fn new_volume() -> Value {
    json!({"name": "vol", "accountID": 1, "totalSize": SIZE})
}

/// A client of the API over HTTPS, logged in.
pub(crate) fn https(world: &World, daemon: &Daemon) -> Result<Client, Box<dyn Error>> {
    let pem = std::fs::read(world.node.sear().state_dir().join("api.pem"))?;
    let mut client = Client::trusting_pem(daemon.api(), &pem, Some(USER));
    // The first call pays for the password.
    client.ok("GetClusterInfo", json!({}));
    Ok(client)
}

/// How long something takes, in seconds.
pub(crate) fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let begun = Instant::now();
    let done = work();
    (begun.elapsed().as_secs_f64(), done)
}
