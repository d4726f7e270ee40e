//! Objects against JSON as documents and a session with a real cluster show it, values replaced.

use serde_json::{Value, json};
use uuid::Uuid;

use super::async_results::{AsyncError, AsyncOutcome, AsyncResult, AsyncResultType, AsyncStatus};
use super::cluster::{ClusterState, ClusterStates, NodeClusterState, NodeState};
use super::drives::{DriveStatus, DriveType, DrivesAdded};
use super::faults::{ClusterFaultInfo, FaultFilter, FaultSeverity, FaultType, ListFaults};
use super::fips::FipsReport;
use super::key_providers::{KeyProviderKmip, ListKeyProviders, OneKeyProvider};
use super::key_servers::{KeyServerKmip, ListKeyServers, OneKeyServer};
use super::limits::Limits;
use super::sear::{EncryptionKeyInfo, KeyManagement, RekeyInfo, RekeyMasterKey, RekeyState, SearInfo, SearState};
use super::stats::VolumeStats;
use super::volumes::{ProtectionScheme, VolumeAccess};
use super::*;
use crate::time::UnixSeconds;

fn json_of(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

fn server() -> KeyServerKmip {
    KeyServerKmip {
        id: KeyServerId(11),
        kmip_key_server_name: "keysecure-vm".into(),
        kmip_key_server_hostnames: vec!["192.0.2.35".into()],
        kmip_key_server_port: 5696,
        kmip_ca_certificate: "ca".into(),
        kmip_client_certificate: "client".into(),
        provider: None,
        kmip_assigned_provider_is_active: None,
    }
}

fn key(number: u128, provider: Option<u64>) -> EncryptionKeyInfo {
    EncryptionKeyInfo {
        id: Some(Uuid::from_u128(number)),
        key_management_type: if provider.is_some() { KeyManagement::External } else { KeyManagement::Internal },
        key_created_time: Some(Timestamp(UnixSeconds(1_634_000_000))),
        provider: provider.map(KeyProviderId),
    }
}

#[test]
fn a_key_server_without_provider_says_so_with_nulls() {
    let golden = json!({"kmipKeyServer": {
        "keyProviderID": null,
        "keyServerID": 11,
        "kmipAssignedProviderIsActive": null,
        "kmipCaCertificate": "ca",
        "kmipClientCertificate": "client",
        "kmipKeyServerHostnames": ["192.0.2.35"],
        "kmipKeyServerName": "keysecure-vm",
        "kmipKeyServerPort": 5696
    }});
    assert_eq!(json_of(OneKeyServer { server: server() }), golden);
}

#[test]
fn a_key_provider_lists_its_servers() {
    let provider = KeyProviderKmip {
        id: KeyProviderId(1),
        key_provider_name: "keysecure".into(),
        key_provider_is_active: true,
        servers: vec![KeyServerId(11)],
        kmip_capabilities: "SSL".into(),
    };
    let golden = json!({"kmipKeyProvider": {
        "keyProviderID": 1, "keyProviderName": "keysecure", "keyProviderIsActive": true,
        "keyServerIDs": [11], "kmipCapabilities": "SSL"
    }});
    assert_eq!(json_of(OneKeyProvider { provider }), golden);
}

#[test]
fn software_encryption_is_told_with_its_key_and_rekey() {
    let info = SearInfo { state: SearState::Enabled, version: 1, master_key_info: Some(key(2, Some(3))), rekey: None };
    let golden = json!({
        "state": "enabled", "version": 1, "rekeyMasterKeyAsyncResultID": null,
        "masterKeyInfo": {
            "keyCreatedTime": "2021-10-12T00:53:20Z", "keyID": "00000000-0000-0000-0000-000000000002",
            "keyManagementType": "external", "keyProviderID": 3
        }
    });
    assert_eq!(json_of(info), golden);
}

#[test]
fn a_finished_rekey_has_a_result_and_no_other_outcome() {
    let info = RekeyInfo {
        left_behind: Vec::new(),
        key_to_decommission: Some(key(1, None)),
        new_key: Some(key(2, Some(3))),
        operation: "Rekeying Master Key.".into(),
        state: RekeyState::Ready,
    };
    let result = json_of(async_result(AsyncStatus::Complete, AsyncOutcome::Result(json_of(info))));
    assert_eq!(result["resultType"], "RekeySoftwareEncryptionAtRestMasterKey");
    assert_eq!(result["status"], "complete");
    assert_eq!(result["result"]["state"], "Ready");
    assert_eq!(result["result"]["keyToDecommission"]["keyManagementType"], "internal");
    assert_eq!(result["result"]["newKey"]["keyProviderID"], 3);
    assert_eq!(result.as_object().unwrap().len(), 5);
}

#[test]
fn running_and_failed_work_have_details_and_error() {
    let running = json_of(async_result(AsyncStatus::Running, AsyncOutcome::Details(json!({"a": 1}))));
    assert_eq!((&running["status"], &running["details"]["a"]), (&json!("running"), &json!(1)));
    let error = AsyncError { name: "xKmipServerError".into(), message: "no".into() };
    let failed = json_of(async_result(AsyncStatus::Complete, AsyncOutcome::Error(error)));
    assert_eq!(failed["error"], json!({"name": "xKmipServerError", "message": "no"}));
    for result in [running, failed] {
        assert!(result.get("result").is_none());
    }
}

fn async_result(status: AsyncStatus, outcome: AsyncOutcome) -> AsyncResult {
    let time = Timestamp(UnixSeconds(0));
    let result_type = AsyncResultType::RekeyMasterKey;
    AsyncResult { status, create_time: time, last_update_time: time, result_type, outcome }
}

#[test]
fn a_key_management_type_is_read_in_the_spellings_of_documents_and_sdks() {
    for word in ["external", "External", "EXTERNAL"] {
        let order: RekeyMasterKey =
            serde_json::from_value(json!({"keyManagementType": word, "keyProviderID": 1})).unwrap();
        assert_eq!(order.key_management_type, Some(KeyManagement::External));
        assert_eq!(order.provider, Some(KeyProviderId(1)));
    }
}

#[test]
fn the_state_of_a_node_and_of_all_nodes_differ_in_shape() {
    let state = ClusterState { cluster: "c".into(), state: NodeState::Active };
    assert_eq!(json_of(ClusterStates::Node(state.clone())), json!({"cluster": "c", "state": "Active"}));
    let nodes = vec![NodeClusterState { node: NodeId(1), result: Some(state) }];
    let golden = json!({"nodes": [{"nodeID": 1, "result": {"cluster": "c", "state": "Active"}}]});
    assert_eq!(json_of(ClusterStates::Nodes { nodes }), golden);
}

#[test]
fn words_that_public_sdks_compare_exactly_are_spelled_so() {
    assert_eq!(json_of(FipsReport::of([NodeId(1)]))["nodes"][0]["fipsDrives"], "None");
    assert_eq!(json_of(ProtectionScheme::ALL), json!(["singleHelix", "doubleHelix", "tripleHelix"]));
    let access = json!(["locked", "readOnly", "readWrite", "replicationTarget", "snapMirrorTarget"]);
    assert_eq!(json_of(VolumeAccess::ALL), access);
    let status = json!(["available", "active", "erasing", "failed", "removing"]);
    assert_eq!(json_of(DriveStatus::ALL), status);
    assert_eq!(json_of(DriveType::ALL), json!(["volume", "block", "unknown"]));
    let states = json!(["Ready", "CreateNewMasterKey", "RewrapDataEncryptionKeys", "DecommissionOldMasterKey"]);
    assert_eq!(json_of(RekeyState::ALL), states);
}

#[test]
fn limits_have_the_names_of_the_documents() {
    let limits = json_of(Limits::CURRENT);
    let known = [
        ("volumeCountMax", 4_000_u64),
        ("volumeSizeMin", 1_000_000_000),
        ("volumeSizeMax", 17_592_186_044_416),
        ("volumeNameLengthMax", 64),
        ("volumesPerAccountCountMax", 2_000),
        ("snapshotsPerVolumeMax", 0),
        ("secretLengthMin", 12),
        ("volumeMinIOPSMin", 50),
        ("volumeMaxIOPSMax", 200_000),
        ("volumeBurstIOPSMax", 200_000),
        ("accountCountMax", 5_000),
    ];
    for (name, value) in known {
        assert_eq!(limits[name], json!(value), "{name}");
    }
}

#[test]
fn names_with_capitals_inside_are_spelled_as_documented() {
    let stats = json_of(VolumeStats::default());
    for name in ["actualIOPS", "averageIOPSize", "burstIOPSCredit", "latencyUSec", "samplePeriodMSec", "accountID"] {
        assert!(stats.get(name).is_some(), "{name}");
    }
    assert_eq!(json_of(DrivesAdded { async_handle: None }), json!({"asyncHandle": null}));
}

#[test]
fn filters_of_key_servers_combine() {
    let assigned =
        KeyServerKmip { provider: Some(KeyProviderId(1)), kmip_assigned_provider_is_active: Some(false), ..server() };
    let filter = |provider: Option<u64>, active, assigned| ListKeyServers {
        provider: provider.map(KeyProviderId),
        kmip_assigned_provider_is_active: active,
        kmip_has_provider_assigned: assigned,
    };
    assert!(filter(None, None, None).matches(&assigned) && filter(None, None, None).matches(&server()));
    assert!(filter(Some(1), Some(false), Some(true)).matches(&assigned));
    assert!(!filter(Some(1), Some(true), Some(true)).matches(&assigned));
    assert!(!filter(Some(2), None, None).matches(&assigned));
    assert!(!filter(None, Some(false), None).matches(&server()));
    assert!(filter(None, None, Some(false)).matches(&server()));
    assert!(ListKeyProviders::default().matches(&KeyProviderKmip {
        id: KeyProviderId(1),
        key_provider_name: String::new(),
        key_provider_is_active: false,
        servers: Vec::new(),
        kmip_capabilities: String::new(),
    }));
}

#[test]
fn best_practices_are_listed_only_when_asked_for() {
    let fault = |severity, resolved| ClusterFaultInfo {
        id: FaultId(1),
        code: "kmipServerFault".into(),
        kind: FaultType::Cluster,
        severity,
        details: String::new(),
        date: Timestamp(UnixSeconds(0)),
        resolved,
        resolved_date: String::new(),
        node: NodeId(0),
        service: ServiceId(0),
        drive: DriveId(0),
        node_hardware_fault: 0,
        drives: None,
        network_interface: None,
        data: None,
        external_source: None,
        blocks_upgrade: false,
    };
    let filter = |best_practices, fault_types| ListFaults { best_practices, fault_types };
    assert!(filter(None, None).matches(&fault(FaultSeverity::Error, true)));
    assert!(!filter(None, None).matches(&fault(FaultSeverity::BestPractice, false)));
    assert!(filter(Some(true), None).matches(&fault(FaultSeverity::BestPractice, false)));
    assert!(!filter(None, Some(FaultFilter::Current)).matches(&fault(FaultSeverity::Error, true)));
    assert_eq!(json_of(fault(FaultSeverity::Warning, false))["clusterFaultID"], 1);
}
