//! The administrator's procedure, from a new cluster to master keys of a key server.

use ekm_bridge::rpc::methods::{Caller, Port};
use ekm_bridge::rpc::observer::Unobserved;
use ekm_bridge::rpc::{ErrorName, Service};
use std::sync::Arc;

use ekm_bridge::rpc::auth::Role;
use ekm_bridge::rpc::control::{
    Accounts, AsyncResults, Cluster, KeyPair, KeyProviders, KeyServers, SoftwareEncryption, Volumes,
};
use ekm_bridge::rpc::types::async_results::{AsyncOutcome, AsyncStatus};
use ekm_bridge::rpc::types::key_providers::AddKeyServer;
use ekm_bridge::rpc::types::sear::{KeyManagement, SearState};
use ekm_bridge::rpc::types::trust::CreateKeyPair;
use serde_json::json;

use crate::rig::{World, begin_rekey, create_cluster, create_volumes, messages, new_volume, refused};

#[test]
fn from_a_new_cluster_to_external_key_management() {
    let world = World::new();
    let control = world.boot();
    assert!(!control.cluster_exists().unwrap() && control.account("admin").unwrap().is_none());
    create_cluster(&control);
    assert!(control.account("admin").unwrap().is_some());
    let before = control.sear_info().unwrap();
    let old = before.master_key_info.clone().unwrap();
    assert_eq!(
        (before.state, before.version, old.key_management_type),
        (SearState::Enabled, 1, KeyManagement::Internal)
    );
    let volumes = create_volumes(&control, 5);

    control.create_key_pair(&CreateKeyPair { common_name: Some("sear-1".into()), ..CreateKeyPair::default() }).unwrap();
    assert!(control.sign_request().unwrap().contains("BEGIN CERTIFICATE REQUEST"));
    let server = control.create_key_server(world.new_server("vault")).unwrap();
    assert_eq!(
        (server.provider, server.kmip_assigned_provider_is_active, server.kmip_key_server_port),
        (None, None, 5696)
    );
    let provider = control.create_key_provider("keys".into()).unwrap().id;
    control.add_key_server(AddKeyServer { provider, server: server.id }).unwrap();
    control.test_key_provider(provider).unwrap();

    let handle = begin_rekey(&control, Some(provider)).unwrap();
    let running = control.async_result(handle, false).unwrap();
    assert_eq!(running.status, AsyncStatus::Running);
    let AsyncOutcome::Details(details) = running.outcome else { panic!("it goes on") };
    assert_eq!((&details["state"], &details["newKey"]), (&json!("CreateNewMasterKey"), &json!(null)));
    refused(begin_rekey(&control, None), ErrorName::RekeyInProgress);
    control.drive_rekey().unwrap();

    let info = control.sear_info().unwrap();
    let new = info.master_key_info.unwrap();
    assert_eq!(
        (new.key_management_type, new.provider, info.rekey),
        (KeyManagement::External, Some(provider), Some(handle))
    );
    let AsyncOutcome::Result(result) = control.async_result(handle, false).unwrap().outcome else {
        panic!("it is done")
    };
    assert_eq!(
        result["operation"],
        json!(format!(
            "Rekeying Master Key. Master Key management being transferred from Internal Key Management to External Key \
         Management with keyProviderID={provider}"
        ))
    );
    assert_eq!((&result["state"], &result["newKey"]["keyID"]), (&json!("Ready"), &json!(new.id)));
    assert_eq!(result["keyToDecommission"]["keyID"], json!(old.id));
    assert_eq!(result["newKey"]["keyManagementType"], json!("external"));
    refused(control.async_result(handle, false), ErrorName::DbNoSuchPath);
    assert_eq!(control.sear_info().unwrap().rekey, None, "its result is gone");

    assert!(control.key_provider(provider).unwrap().key_provider_is_active);
    for (_, keys) in world.host.disks().values() {
        assert_eq!(keys.iter().map(|key| Some(key.0)).collect::<Vec<_>>(), [new.id]);
    }
    let late = control.create_volume(new_volume("late")).unwrap();
    assert_eq!(Some(world.host.disks()[&late.uuid].1[0].0), new.id, "new volumes use the new key");
    assert_eq!(world.host.open_volumes().len(), volumes.len() + 1);
    let told = messages(&control);
    for part in ["cluster was created", "Key server 1 was created", "Volume 1 was created", "being transferred"] {
        assert!(told.iter().any(|message| message.contains(part)), "{part}: {told:?}");
    }
}

#[test]
fn the_api_speaks_to_it() {
    let world = World::new();
    let (control, _) = world.with_provider();
    create_volumes(&control, 2);
    let service = Service::new(control, Arc::new(Unobserved), Port::Any);
    let caller = Caller::User { name: "admin".into(), role: Role::Administrator };
    let ask = |method: &str, params: serde_json::Value| -> serde_json::Value {
        let body = json!({ "method": method, "id": 1, "params": params }).to_string();
        let answer = service.answer("12.3", &caller, "127.0.0.1:1".parse().unwrap(), body.as_bytes());
        serde_json::from_slice(&answer.body).unwrap()
    };
    assert_eq!(ask("ListVolumes", json!({}))["result"]["volumes"][1]["name"], json!("v1"));
    assert_eq!(
        ask("GetClusterInfo", json!({}))["result"]["clusterInfo"]["softwareEncryptionAtRestState"],
        json!("enabled")
    );
    let handle =
        &ask("RekeySoftwareEncryptionAtRestMasterKey", json!({ "keyManagementType": "external", "keyProviderID": 1 }))
            ["result"]["asyncHandle"];
    assert_eq!(ask("GetAsyncResult", json!({ "asyncHandle": handle }))["result"]["status"], json!("running"));
    let kinds = json!({ "asyncResultTypes": ["RekeySoftwareEncryptionAtRestMasterKey"] });
    assert_eq!(&ask("ListAsyncResults", kinds)["result"]["asyncHandles"][0]["asyncResultID"], handle);
    let deleted = ask("DeleteKeyServerKmip", json!({ "keyServerID": 9 }));
    assert_eq!(deleted["error"]["name"], json!("xKeyServerDoesNotExist"));
    for method in
        ["ListEvents", "ListClusterFaults", "ListDrives", "GetFipsReport", "ListKeyServersKmip", "ListVolumeStats"]
    {
        assert!(ask(method, json!({}))["result"].is_object(), "{method}");
    }
}

#[test]
fn there_is_one_cluster_and_it_names_this_node() {
    let world = World::new();
    let control = world.boot();
    let mut elsewhere = crate::rig::new_cluster();
    elsewhere.nodes = vec!["198.51.100.1".into()];
    refused(control.create_cluster(elsewhere), ErrorName::InvalidParameter);
    create_cluster(&control);
    refused(control.create_cluster(crate::rig::new_cluster()), ErrorName::ClusterAlreadyCreated);
    let again = world.reboot();
    assert_eq!(again.cluster_info().unwrap().uuid, control.cluster_info().unwrap().uuid);
}

#[test]
fn a_cluster_without_software_encryption_has_no_volumes_and_no_rekey() {
    let world = World::new();
    let control = world.boot();
    let mut plain = crate::rig::new_cluster();
    plain.software_encryption = false;
    control.create_cluster(plain).unwrap();
    refused(control.create_volume(new_volume("v")), ErrorName::SoftwareEncryptionNotEnabled);
    refused(begin_rekey(&control, None), ErrorName::SoftwareEncryptionNotEnabled);
    assert_eq!(control.sear_info().unwrap().state, SearState::Disabled);
}
