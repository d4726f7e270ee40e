//! The procedure against a real key manager: PyKMIP, extended. The certificate is signed by openssl, as an administrator
//! would.

use std::sync::Arc;
use std::time::Duration;

use ekm_bridge::cluster::KmipContact;
use ekm_bridge::provider::external::SystemClock;
use ekm_bridge::rpc::control::{KeyPair, KeyProviders, KeyServers, SoftwareEncryption};
use ekm_bridge::rpc::types::key_providers::AddKeyServer;
use ekm_bridge::rpc::types::key_servers::CreateKeyServer;
use ekm_bridge::rpc::types::trust::CreateKeyPair;

use crate::kmip_rig::{Server, Start};
use crate::rig::{World, create_cluster, create_volumes, current_faults, is_done, rekey};

fn boot(world: &World) -> Arc<ekm_bridge::cluster::ClusterControl> {
    let limit = Duration::from_secs(20);
    let contact = KmipContact::new(world.store(), Arc::new(world.internal())).with_timeouts(limit, limit);
    world.boot_with(Arc::new(contact), Arc::new(SystemClock::default()), None)
}

fn new_server(server: &Server, client: &str) -> CreateKeyServer {
    CreateKeyServer {
        kmip_ca_certificate: server.prepared().authority(),
        kmip_client_certificate: client.into(),
        kmip_key_server_hostnames: vec!["localhost".into()],
        kmip_key_server_name: "pykmip".into(),
        kmip_key_server_port: Some(server.port()),
    }
}

#[test]
fn keys_come_from_a_real_key_manager_and_two_of_them_hold_the_same() {
    let (Some(first), Some(second)) = (Start::extended().or_skip(), Start::extended().or_skip()) else { return };
    let world = World::new();
    let control = boot(&world);
    create_cluster(&control);
    let volumes = create_volumes(&control, 4).len();
    control.create_key_pair(&CreateKeyPair { common_name: Some("sear".into()), ..CreateKeyPair::default() }).unwrap();
    let client = first.prepared().sign(&control.sign_request().unwrap());
    let provider = control.create_key_provider("keys".into()).unwrap().id;
    let server = control.create_key_server(new_server(&first, &client)).unwrap().id;
    control.test_key_server(server).unwrap();
    control.add_key_server(AddKeyServer { provider, server }).unwrap();
    control.test_key_provider(provider).unwrap();
    assert!(is_done(&rekey(&control, Some(provider))));
    let key = control.sear_info().unwrap().master_key_info.unwrap();
    assert_eq!(key.provider, Some(provider));

    // A second server gets the key; then the first one dies, and a new process opens everything.
    let spare = control.create_key_server(new_server(&second, &client)).unwrap().id;
    control.add_key_server(AddKeyServer { provider, server: spare }).unwrap();
    drop(first);
    world.host.forget_open();
    let control = boot(&world);
    assert_eq!(world.host.open_volumes().len(), volumes);
    control.tend().unwrap();
    assert!(current_faults(&control, "volumesOffline").is_empty());
    let faults = current_faults(&control, "kmipServerFault");
    assert!(faults.len() == 1 && faults[0].details.contains("(ID 1)"), "{faults:?}");
}
