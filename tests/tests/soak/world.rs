//! A node with many volumes and two key providers, each over a key manager of its own.

use std::cell::Cell;

use sear_tests::rig::pypi::{Server, Start};
use sear_tests::rig::{Daemon, Node, wait_until};
use serde_json::{Value, json};

const SIZE: u64 = 1_024_000_000;

/// Who manages the next key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Internal,
    Provider(u64),
}

/// All four transitions: to a provider, within it, to the other one, back to internal, within internal.
const ROUND: [Target; 6] = [
    Target::Provider(1),
    Target::Provider(1),
    Target::Provider(2),
    Target::Internal,
    Target::Internal,
    Target::Provider(2),
];

impl Target {
    pub(crate) fn order(self) -> Value {
        match self {
            Self::Internal => json!({"keyManagementType": "Internal"}),
            Self::Provider(id) => json!({"keyManagementType": "External", "keyProviderID": id}),
        }
    }

    pub(crate) fn name(self) -> String {
        match self {
            Self::Internal => "internal".to_owned(),
            Self::Provider(id) => format!("provider {id}"),
        }
    }
}

pub(crate) struct World {
    // Dropped in this order.
    daemon: Daemon,
    servers: Vec<Server>,
    _node: Node,
    rekeys: Cell<usize>,
    volumes: usize,
}

impl World {
    /// `None`, with the reason printed, when this machine lacks something.
    pub(crate) fn new(volumes: usize) -> Option<Self> {
        let servers: Vec<Server> = [Start::extended().or_skip()?, Start::extended().or_skip()?].into();
        // They stand for other machines: a client of this one does not wait for them.
        servers.iter().for_each(Server::step_back);
        let node = Node::new();
        let daemon = node.start();
        daemon.local.create_cluster("correct horse");
        let world = Self { daemon, servers, _node: node, rekeys: Cell::new(0), volumes };
        world.add_providers();
        for number in 0..volumes {
            let new = json!({"name": format!("v{number}"), "accountID": 1, "totalSize": SIZE});
            world.daemon.local.ok("CreateVolume", new);
        }
        Some(world)
    }

    fn add_providers(&self) {
        let local = &self.daemon.local;
        local.ok("CreatePublicPrivateKeyPair", json!({}));
        let request = local.ok("GetClientCertificateSignRequest", json!({}));
        let request = request["clientCertificateSignRequest"].as_str().unwrap_or_default();
        let prepared = self.servers[0].prepared();
        let client = prepared.sign(request);
        for (number, server) in (1..).zip(&self.servers) {
            let new = json!({"kmipCaCertificate": prepared.authority(), "kmipClientCertificate": client,
                             "kmipKeyServerHostnames": ["localhost"], "kmipKeyServerName": format!("kms-{number}"),
                             "kmipKeyServerPort": server.port()});
            local.ok("CreateKeyServerKmip", new);
            local.ok("CreateKeyProviderKmip", json!({"keyProviderName": format!("provider-{number}")}));
            local.ok("AddKeyServerToProviderKmip", json!({"keyProviderID": number, "keyServerID": number}));
        }
    }

    pub(crate) fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    /// The URI of the volume of this number, from 0.
    pub(crate) fn uri(&self, number: usize) -> String {
        self.daemon.uri(&format!("v{number}.{}", number + 1))
    }

    pub(crate) fn next_target(&self) -> Target {
        let count = self.rekeys.get();
        self.rekeys.set(count + 1);
        ROUND[count % ROUND.len()]
    }

    /// One key is left, every volume depends on it alone, and nothing is wrong.
    pub(crate) fn check_end(&self) {
        let local = &self.daemon.local;
        let keys = || local.ok("ListMasterKeys", json!({}))["masterKeys"].as_array().cloned().unwrap_or_default();
        wait_until("every old key to be destroyed", || {
            keys().iter().all(|key| key["isInForce"] == true || key["state"] == "destroyed")
        });
        let in_force = keys().into_iter().find(|key| key["isInForce"] == true).expect("a key is in force");
        assert_eq!(in_force["dependants"], self.volumes, "{in_force}");
        let faults = local.ok("ListClusterFaults", json!({"faultTypes": "current"}));
        assert_eq!(faults["faults"], json!([]));
        let offered = local.ok("ListVolumes", json!({}))["volumes"].as_array().map_or(0, Vec::len);
        assert_eq!(offered, self.volumes);
    }
}
