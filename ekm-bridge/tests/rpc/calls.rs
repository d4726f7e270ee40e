//! Method by method, as JSON. The rules that need a cluster's state are those of the model; see it for what hosts do.

use ekm_bridge::rpc::ErrorName;
use ekm_bridge::rpc::types::faults::FaultSeverity;
use serde_json::{Value, json};

use crate::Rig;
use crate::client::Client;

const PEM: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

fn new_server(host: &str) -> Value {
    json!({"kmipCaCertificate": PEM, "kmipClientCertificate": PEM, "kmipKeyServerHostnames": [host],
           "kmipKeyServerName": "server"})
}

/// Makes a server; its id.
fn server(admin: &mut Client, host: &str) -> Value {
    admin.ok("CreateKeyServerKmip", new_server(host))["kmipKeyServer"]["keyServerID"].clone()
}

/// Makes a provider with these servers; its id.
fn provider(admin: &mut Client, hosts: &[&str]) -> Value {
    let made = admin.ok("CreateKeyProviderKmip", json!({"keyProviderName": "provider"}));
    let id = made["kmipKeyProvider"]["keyProviderID"].clone();
    for host in hosts {
        let server = server(admin, host);
        admin.ok("AddKeyServerToProviderKmip", json!({"keyProviderID": id, "keyServerID": server}));
    }
    id
}

#[test]
fn methods_are_found_in_any_case_and_unknown_parameters_are_listed() {
    let rig = Rig::with_cluster();
    let reply = rig.admin().reply("listkeyserverskmip", &json!({"foo": 1, "bar": {}}));
    assert_eq!(reply, json!({"id": 1, "result": {"kmipKeyServers": []}, "unusedParameters": ["bar", "foo"]}));
    assert_eq!(rig.admin().error("NoSuchMethod", json!({})), "xUnknownAPIMethod");
}

#[test]
fn parameters_are_checked_and_named() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    let cases = [
        ("GetKeyServerKmip", json!({}), "xInvalidParameter", "keyServerID"),
        ("GetKeyServerKmip", json!({"keyServerID": null}), "xInvalidParameterType", "keyServerID"),
        ("GetKeyServerKmip", json!({"keyServerID": "1"}), "xInvalidParameterType", "keyServerID"),
        ("GetKeyServerKmip", json!({"keyServerID": -1}), "xInvalidParameterType", "keyServerID"),
        ("ListClusterFaults", json!({"faultTypes": "some"}), "xUnrecognizedEnumString", "faultTypes"),
        ("CreateKeyServerKmip", new_server(""), "xInvalidParameter", "kmipKeyServerHostnames"),
        ("CreatePublicPrivateKeyPair", json!({"country": "Taiwan"}), "xInvalidParameter", "country"),
        ("AddDrives", json!({"drives": []}), "xInvalidParameter", "drives"),
        ("AddDrives", json!({"drives": [{"driveID": 1}, {"driveID": 1}]}), "xInvalidParameter", "twice"),
        ("ResetDrives", json!({"drives": "slot1", "force": false}), "xInvalidParameter", "force"),
        ("ListVolumes", json!({"volumeIDs": [1], "limit": 1}), "xInvalidParameter", "volumeIDs"),
        ("DeleteVolumes", json!({}), "xInvalidParameter", "exactly one"),
        ("DeleteVolumes", json!({"volumeIDs": [1], "accountIDs": [1]}), "xInvalidParameter", "exactly one"),
        ("DeleteVolumes", json!({"volumeIDs": vec![1; 501]}), "xExceededLimit", "500"),
        ("ListEvents", json!({"startReportTime": "yesterday"}), "xInvalidParameterType", "startReportTime"),
    ];
    for (method, params, name, part) in cases {
        let error = admin.reply(method, &params)["error"].clone();
        assert_eq!(error["name"], name, "{method} {params}: {error}");
        assert!(error["message"].as_str().unwrap().contains(part), "{method} {params}: {error}");
    }
}

#[test]
fn a_key_pair_comes_before_its_request() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    assert_eq!(admin.error("GetClientCertificateSignRequest", json!({})), "xKeyPairDoesNotExist");
    admin.ok("CreatePublicPrivateKeyPair", json!({"commonName": "sear", "country": "", "state": ""}));
    let request = admin.ok("GetClientCertificateSignRequest", json!({}));
    assert!(request["clientCertificateSignRequest"].as_str().unwrap().contains("CERTIFICATE REQUEST"));
}

#[test]
fn key_servers_are_made_without_contact_and_changed_with_one() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    let made = admin.ok("CreateKeyServerKmip", new_server("down.example"))["kmipKeyServer"].clone();
    assert_eq!((&made["kmipKeyServerPort"], &made["keyProviderID"]), (&json!(5696), &Value::Null));
    let id = &made["keyServerID"];
    assert_eq!(admin.error("TestKeyServerKmip", json!({"keyServerID": id})), "xKmipConnectionFailed");
    assert_eq!(admin.ok("ModifyKeyServerKmip", json!({"keyServerID": id}))["kmipKeyServer"], made);
    let change = |host: &str| json!({"keyServerID": id, "kmipKeyServerHostnames": [host], "kmipKeyServerPort": 5697});
    assert_eq!(admin.error("ModifyKeyServerKmip", change("stranger.example")), "xKmipAuthenticationFailed");
    assert_eq!(admin.ok("GetKeyServerKmip", json!({"keyServerID": id}))["kmipKeyServer"], made);
    let changed = admin.ok("ModifyKeyServerKmip", change("kms.example"))["kmipKeyServer"].clone();
    assert_eq!(changed["kmipKeyServerPort"], 5697);
    admin.ok("TestKeyServerKmip", json!({"keyServerID": id}));
    assert_eq!(
        admin.error("ModifyKeyServerKmip", json!({"keyServerID": id, "kmipCaCertificate": "x"})),
        "xKmipCertificateInvalid"
    );
    admin.ok("DeleteKeyServerKmip", json!({"keyServerID": id}));
    assert_eq!(admin.error("GetKeyServerKmip", json!({"keyServerID": id})), "xKeyServerDoesNotExist");
}

#[test]
fn providers_get_servers_and_keep_the_last_while_active() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    let empty = provider(&mut admin, &[]);
    assert_eq!(admin.error("TestKeyProviderKmip", json!({"keyProviderID": empty})), "xKeyProviderHasNoServer");
    let id = provider(&mut admin, &["kms.example"]);
    let shown = admin.ok("GetKeyProviderKmip", json!({"keyProviderID": id}))["kmipKeyProvider"].clone();
    let server = shown["keyServerIDs"][0].clone();
    let add = |provider: &Value, server: &Value| json!({"keyProviderID": provider, "keyServerID": server});
    admin.ok("AddKeyServerToProviderKmip", add(&id, &server));
    assert_eq!(admin.error("AddKeyServerToProviderKmip", add(&empty, &server)), "xKeyServerInUse");
    let twin = self::server(&mut admin, "twin.example");
    assert_eq!(admin.error("AddKeyServerToProviderKmip", add(&id, &twin)), "xKeySyncConflict");
    admin.ok("EnableEncryptionAtRest", json!({"keyProviderID": id}));
    assert_eq!(admin.error("DeleteKeyProviderKmip", json!({"keyProviderID": id})), "xKeyProviderIsActive");
    assert_eq!(
        admin.error("RemoveKeyServerFromProviderKmip", json!({"keyServerID": server})),
        "xLastKeyServerOfActiveProvider"
    );
    assert_eq!(admin.error("DeleteKeyServerKmip", json!({"keyServerID": server})), "xLastKeyServerOfActiveProvider");
    let active = admin.ok("ListKeyServersKmip", json!({"kmipAssignedProviderIsActive": true}));
    assert_eq!(active["kmipKeyServers"][0]["keyServerID"], server);
    admin.ok("DisableEncryptionAtRest", json!({}));
    for _ in 0..2 {
        admin.ok("RemoveKeyServerFromProviderKmip", json!({"keyServerID": server}));
    }
    admin.ok("DeleteKeyProviderKmip", json!({"keyProviderID": id}));
    let left = admin.ok("ListKeyProvidersKmip", json!({"kmipKeyProviderHasServerAssigned": false}));
    assert_eq!(left["kmipKeyProviders"].as_array().unwrap().len(), 1);
}

#[test]
fn a_rekey_needs_a_provider_exactly_when_it_goes_outside() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    let id = provider(&mut admin, &["kms.example"]);
    const REKEY: &str = "RekeySoftwareEncryptionAtRestMasterKey";
    for params in [
        json!({"keyManagementType": "external"}),
        json!({"keyManagementType": "internal", "keyProviderID": id}),
        json!({"keyProviderID": id}),
    ] {
        assert_eq!(admin.error(REKEY, params), "xInvalidParameter");
    }
    let missing = json!({"keyManagementType": "External", "keyProviderID": 999});
    assert_eq!(admin.error(REKEY, missing), "xKeyProviderDoesNotExist");
    let handle = admin.ok(REKEY, json!({"keyManagementType": "external", "keyProviderID": id}))["asyncHandle"].clone();
    assert_eq!(admin.error(REKEY, json!({})), "xRekeyInProgress");
    let mut states = Vec::new();
    let done = loop {
        let result = admin.ok("GetAsyncResult", json!({"asyncHandle": handle}));
        if result["status"] == "complete" {
            break result;
        }
        states.push(result["details"]["state"].clone());
    };
    assert_eq!(json!(states), json!(["CreateNewMasterKey", "RewrapDataEncryptionKeys", "DecommissionOldMasterKey"]));
    assert_eq!(done["result"]["newKey"]["keyProviderID"], id);
    let info = admin.ok("GetSoftwareEncryptionAtRestInfo", json!({}));
    assert_eq!(info["masterKeyInfo"], done["result"]["newKey"]);
    assert_eq!(info["rekeyMasterKeyAsyncResultID"], Value::Null);
}

#[test]
fn drives_are_added_removed_and_erased() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    admin.ok("AddDrives", json!({"drives": [{"driveID": 1, "type": "slice"}, {"driveID": 2, "type": "block"}]}));
    let drives = admin.ok("ListDrives", json!({}))["drives"].clone();
    assert_eq!((&drives[0]["status"], &drives[0]["type"]), (&json!("active"), &json!("volume")));
    assert_eq!(admin.error("AddDrives", json!({"drives": [{"driveID": 1}]})), "xDriveNotAvailable");
    assert_eq!(admin.error("SecureEraseDrives", json!({"drives": [1]})), "xDriveNotAvailable");
    admin.ok("RemoveDrives", json!({"drives": [1]}));
    admin.ok("SecureEraseDrives", json!({"drives": [1]}));
    assert_eq!(admin.error("RemoveDrives", json!({"drives": [9]})), "xDriveIDDoesNotExist");
    let reset = admin.ok("ResetDrives", json!({"drives": "slot1, slot9", "force": true}));
    assert_eq!(reset["details"]["drives"][1]["returnCode"], 1);
    assert_eq!(reset["result"], "Failed");
}

#[test]
fn volumes_live_are_deleted_and_purged() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    let new = |size: u64| json!({"name": "vol", "accountID": 1, "totalSize": size, "qos": {"minIOPS": 100}});
    assert_eq!(admin.error("CreateVolume", new(1)), "xExceededLimit");
    let made = admin.ok("CreateVolume", new(1_000_000_001));
    assert_eq!(made["volume"]["totalSize"], 1_001_000_000);
    assert_eq!((&made["volume"]["qos"]["minIOPS"], &made["volumeID"]), (&json!(100), &made["volume"]["volumeID"]));
    let id = json!({"volumeID": made["volumeID"]});
    let modify = |member: &str, value: Value| {
        let mut params = id.clone();
        params[member] = value;
        params
    };
    assert_eq!(admin.error("ModifyVolume", modify("totalSize", json!(1_000_000_000))), "xInvalidParameter");
    let changed = admin.ok("ModifyVolume", modify("access", json!("READONLY")));
    assert_eq!(changed["volume"]["access"], "readOnly");
    assert_eq!(admin.ok("GetVolumeStats", id.clone())["volumeStats"]["writeOps"], 5);
    assert_eq!(admin.error("PurgeDeletedVolume", id.clone()), "xVolumeNotDeleted");
    assert_eq!(admin.ok("DeleteVolume", id.clone())["volume"]["status"], "deleted");
    admin.ok("PurgeDeletedVolume", id.clone());
    assert_eq!(admin.error("GetVolumeStats", id), "xVolumeIDDoesNotExist");
}

#[test]
fn faults_are_filtered_and_cleared() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    rig.model.add_fault("kmipServerFault", FaultSeverity::Error, false);
    rig.model.add_fault("kmipCertificateFault", FaultSeverity::Warning, true);
    rig.model.add_fault("bestPractice", FaultSeverity::BestPractice, false);
    let mut count = |params: Value| admin.ok("ListClusterFaults", params)["faults"].as_array().unwrap().len();
    assert_eq!(count(json!({})), 2);
    assert_eq!(count(json!({"bestPractices": true})), 3);
    assert_eq!(count(json!({"faultTypes": "Current"})), 1);
    rig.admin().ok("ClearClusterFaults", json!({}));
    let left = rig.admin().ok("ListClusterFaults", json!({}))["faults"].clone();
    assert_eq!((&left[0]["code"], left.as_array().unwrap().len()), (&json!("kmipServerFault"), 1));
}

#[test]
fn every_call_is_told_to_the_observer_without_secrets() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    admin.ok("createkeyproviderkmip", json!({"keyProviderName": "p", "password": "hunter22"}));
    admin.error("GetKeyServerKmip", json!({"keyServerID": 7}));
    admin.post(b"{");
    let unknown = r#"{"keyProviderName":"p","password":"(unknown parameter, value not recorded)"}"#;
    let expected = [
        format!("admin CreateKeyProviderKmip {unknown} ok"),
        r#"admin GetKeyServerKmip {"keyServerID":7} xKeyServerDoesNotExist"#.to_owned(),
        "admin  {} xInvalidRequest".to_owned(),
    ];
    assert_eq!(rig.seen(), expected);
    assert_eq!(ErrorName::InvalidRequest.code(), 400);
}

#[test]
fn a_defect_is_an_error_and_ends_nothing_else() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    assert_eq!(admin.error("CreateKeyProviderKmip", json!({"keyProviderName": "defect"})), "xAssertionFailure");
    admin.ok("CreateKeyProviderKmip", json!({"keyProviderName": "p"}));
    assert!(rig.seen()[0].ends_with("xAssertionFailure"), "{:?}", rig.seen());
}

#[test]
fn a_keyslot_key_does_not_leave_the_machine_and_a_passphrase_is_not_written_down() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    assert_eq!(admin.error("ExportVolumeKey", json!({"volumeID": 1})), "xPermissionDenied");
    let adopt = |passphrase: Value| json!({"name": "v", "path": "/srv/disk", "passphrase": passphrase});
    assert_eq!(admin.error("AdoptVolume", adopt(json!("Y29ycmVjdA=="))), "xPassphraseWrong");
    assert_eq!(admin.error("AdoptVolume", adopt(json!("not base64"))), "xInvalidParameterType");
    assert_eq!(admin.error("AdoptVolume", adopt(json!(""))), "xInvalidParameterType");
    assert_eq!(admin.error("AdoptVolume", adopt(Value::Null)), "xKeyUnavailable");
    assert_eq!(admin.error("CreateVolumeAt", json!({"name": "", "path": "/a"})), "xInvalidParameter");
    let odd = json!({"name": "v", "path": "/a", "sectorSize": 513});
    assert_eq!(admin.error("CreateVolumeAt", odd), "xInvalidParameter");
    assert_eq!(admin.error("RestoreVolumeHeader", json!({"volumeID": 9, "path": "/a"})), "xVolumeIDDoesNotExist");
    let new = json!({"volumeID": 1, "passphrase": "Y29ycmVjdA==", "pbkdf": "pbkdf2", "replace": true});
    assert_eq!(admin.ok("AddVolumePassphrase", new), json!({"keyslot": 2, "removed": [1]}));
    assert_eq!(admin.ok("ListVolumePlaces", json!({})), json!({"volumePlaces": []}));
    assert!(!rig.seen().iter().any(|line| line.contains("Y29ycmVjdA")), "a passphrase was recorded");
}
