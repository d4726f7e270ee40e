//! Clients from elsewhere. This machine plays them by its own address on the network; without one nothing is tested.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use ekm_bridge::rpc::server::Setup;
use serde_json::json;

use crate::Rig;
use crate::client::Client;
use crate::model::{Model, NODE_ADDRESS, READER};

/// The address that this machine would use on the network. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let address = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr()).ok()?.ip();
    let is_elsewhere = !address.is_loopback() && !address.is_unspecified();
    if !is_elsewhere {
        println!("skipped: this machine has no address on a network");
    }
    is_elsewhere.then_some(address)
}

/// A server on every address, in front of `model`.
fn rig(model: Model, setup: Setup) -> Rig {
    Rig::start(model, |config| {
        config.listen = "0.0.0.0:0".parse().unwrap();
        config.setup = setup;
    })
}

fn stranger(rig: &Rig, address: IpAddr, credentials: Option<(&str, &str)>) -> Client {
    Client::new(SocketAddr::new(address, rig.server.address().port()), &rig.certificate, credentials)
}

#[test]
fn metrics_need_an_account_from_elsewhere() {
    let Some(address) = own_address() else { return };
    let rig = rig(Model::with_cluster(), Setup::Loopback);
    for (credentials, status) in [(None, 401), (Some((READER.0, "wrong")), 401), (Some(READER), 200)] {
        let mut client = stranger(&rig, address, credentials);
        let request = client.request("GET", "/metrics", b"");
        assert_eq!(client.send(&request).unwrap().status, status);
    }
}

#[test]
fn metrics_are_not_given_to_anybody_before_there_is_a_cluster() {
    let Some(address) = own_address() else { return };
    let rig = rig(Model::default(), Setup::Anywhere);
    let mut client = stranger(&rig, address, None);
    let request = client.request("GET", "/metrics", b"");
    assert_eq!(client.send(&request).unwrap().status, 401);
}

#[test]
fn the_cluster_is_created_from_elsewhere_only_when_that_was_allowed() {
    let Some(address) = own_address() else { return };
    let cluster = json!({"mvip": "192.0.2.1", "svip": "192.0.2.2", "username": "root", "password": "tr0ub4dor&3",
                         "nodes": [NODE_ADDRESS]});
    let closed = rig(Model::default(), Setup::Loopback);
    assert_eq!(stranger(&closed, address, None).error("CreateCluster", cluster.clone()), "xPermissionDenied");
    stranger(&closed, address, None).ok("GetAPI", json!({}));
    let open = rig(Model::default(), Setup::Anywhere);
    stranger(&open, address, None).ok("CreateCluster", cluster);
}
