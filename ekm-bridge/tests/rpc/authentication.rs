//! Who may call, before and after there is a cluster.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use ekm_bridge::rpc::server::Setup;
use serde_json::{Value, json};

use crate::Rig;
use crate::model::{ADMIN, Model, NODE_ADDRESS, READER};

fn create() -> Value {
    json!({"mvip": "192.0.2.1", "svip": "192.0.2.2", "username": "root", "password": "tr0ub4dor&3",
           "nodes": [NODE_ADDRESS], "enableSoftwareEncryptionAtRest": true})
}

#[test]
fn wrong_and_missing_credentials_get_the_text_that_sdks_look_for() {
    let rig = Rig::with_cluster();
    for credentials in [None, Some((ADMIN.0, "wrong")), Some(("nobody", ADMIN.1)), Some(("", "")), Some((ADMIN.0, ""))]
    {
        let response = rig.client(credentials).post(br#"{"method":"GetAPI","id":1}"#);
        assert_eq!((response.status, response.text().as_str()), (401, "401 Unauthorized."));
        assert!(response.header("www-authenticate").unwrap().starts_with("Basic realm="));
    }
    assert_eq!(rig.seen(), ["refused -", "refused admin", "refused nobody", "refused ", "refused admin"]);
}

#[test]
fn who_may_only_read_reads() {
    let rig = Rig::with_cluster();
    let mut reader = rig.client(Some(READER));
    reader.ok("GetClusterInfo", json!({}));
    reader.ok("ListKeyServersKmip", json!({}));
    assert_eq!(reader.error("CreateKeyProviderKmip", json!({"keyProviderName": "p"})), "xPermissionDenied");
    assert_eq!(reader.error("TestKeyServerKmip", json!({"keyServerID": 1})), "xPermissionDenied");
    assert_eq!(rig.admin().ok("ListKeyProvidersKmip", json!({}))["kmipKeyProviders"], json!([]));
}

#[test]
fn reading_a_result_does_not_take_it_from_who_waits_for_it() {
    let rig = Rig::with_cluster();
    let (mut admin, mut reader) = (rig.admin(), rig.client(Some(READER)));
    let handle = admin.ok("AddDrives", json!({"drives": [{"driveID": 1}]}))["asyncHandle"].clone();
    for _ in 0..2 {
        let result = reader.ok("GetAsyncResult", json!({"asyncHandle": handle, "keepResult": false}));
        assert_eq!(result["status"], "complete");
    }
    admin.ok("GetAsyncResult", json!({"asyncHandle": handle}));
    assert_eq!(admin.error("GetAsyncResult", json!({"asyncHandle": handle})), "xDBNoSuchPath");
}

#[test]
fn guessing_gets_slow_and_only_for_the_guessed_user() {
    let rig = Rig::with_cluster();
    let mut guesser = rig.client(Some((ADMIN.0, "guess")));
    for _ in 0..3 {
        assert_eq!(guesser.post(b"{}").status, 401);
    }
    // Three were free. The fourth is answered half a second after the third, and the next a second after that.
    let begin = Instant::now();
    assert_eq!(guesser.post(b"{}").status, 401);
    rig.client(Some(READER)).ok("GetAPI", json!({}));
    rig.admin().ok("GetAPI", json!({}));
    assert!(begin.elapsed() >= Duration::from_secs(1), "{:?}", begin.elapsed());
    assert_eq!(rig.seen().last().unwrap(), "admin GetAPI {} ok");
}

#[test]
fn guesses_in_parallel_wait_too() {
    let rig = Rig::with_cluster();
    let together = Barrier::new(7);
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for n in 0..7 {
            let (mut guesser, together) = (rig.client(Some((ADMIN.0, &format!("guess {n}")))), &together);
            scope.spawn(move || {
                guesser.open();
                together.wait();
                assert_eq!(guesser.post(b"{}").status, 401);
            });
        }
    });
    // Two run at a time: at most four before the waiting begins, two more after a second, the last after four more.
    assert!(begin.elapsed() >= Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[test]
fn before_there_is_a_cluster_it_can_be_created_and_nothing_else() {
    let rig = Rig::start(Model::default(), |_| {});
    let mut nobody = rig.client(None);
    nobody.ok("GetAPI", json!({}));
    assert_eq!(nobody.ok("GetClusterState", json!({"force": true})), json!({"cluster": "", "state": "Available"}));
    assert_eq!(nobody.error("ListDrives", json!({})), "xClusterDoesNotExist");
    assert_eq!(nobody.ok("CreateCluster", create()), json!({}));
    assert_eq!(nobody.post(br#"{"method":"GetAPI","id":1}"#).status, 401);
    let mut root = rig.client(Some(("root", "tr0ub4dor&3")));
    assert_eq!(root.ok("GetClusterInfo", json!({}))["clusterInfo"]["softwareEncryptionAtRestState"], "enabled");
    assert_eq!(root.error("CreateCluster", create()), "xClusterAlreadyCreated");
    assert!(rig.seen().iter().all(|line| !line.contains("tr0ub4dor")), "{:?}", rig.seen());
}

#[test]
fn the_first_administrator_needs_a_name_and_a_password() {
    let rig = Rig::start(Model::default(), |_| {});
    let mut nobody = rig.client(None);
    for (member, value) in [
        ("password", json!("short")),
        ("password", json!("x".repeat(257))),
        ("username", json!("")),
        ("username", json!("a:b")),
        ("username", json!("a\nb")),
        ("nodes", json!([])),
        ("nodes", json!(["192.0.2.77"])),
    ] {
        let mut params = create();
        params[member] = value;
        assert_eq!(nobody.error("CreateCluster", params), "xInvalidParameter", "{member}");
    }
    assert_eq!(rig.client(None).ok("GetClusterState", json!({}))["state"], "Available");
}

#[test]
fn only_one_of_two_creators_wins() {
    let rig = Rig::start(Model::default(), |config| config.setup = Setup::Anywhere);
    let outcomes: Vec<u16> = std::thread::scope(|scope| {
        let body = serde_json::to_vec(&json!({"method": "CreateCluster", "id": 1, "params": create()})).unwrap();
        let creators: Vec<_> = (0..4)
            .map(|_| {
                let (mut client, body) = (rig.client(None), body.clone());
                scope.spawn(move || {
                    let response = client.post(&body);
                    let lost = response.status == 401 || response.json().get("error").is_some();
                    u16::from(!lost)
                })
            })
            .collect();
        creators.into_iter().map(|creator| creator.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().sum::<u16>(), 1, "{outcomes:?}");
}
