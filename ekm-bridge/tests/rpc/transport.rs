//! HTTP: paths, versions, what is answered without a call.

use std::io::Write;
use std::time::{Duration, Instant};

use ekm_bridge::rpc::server::Limits;
use serde_json::json;

use crate::Rig;
use crate::client::Response;
use crate::model::{READER, SLOW};

#[test]
fn a_call_needs_no_content_type_and_its_id_comes_back() {
    let rig = Rig::with_cluster();
    for id in [json!(0), json!(4_294_967_296_u64), json!("abc"), json!(null)] {
        let body = serde_json::to_vec(&json!({"method": "GetAPI", "id": id, "params": {}})).unwrap();
        let response = rig.admin().post(&body);
        assert_eq!(response.status, 200);
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(response.json()["id"], id);
        assert_eq!(response.json()["result"]["currentVersion"], "12.3");
    }
}

#[test]
fn every_supported_version_is_a_path_and_others_are_an_error() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    let body = br#"{"method":"GetAPI","id":1,"params":{}}"#;
    let versions = admin.ok("GetAPI", json!({}))["supportedVersions"].clone();
    assert_eq!(versions[0], "7.0");
    for version in versions.as_array().unwrap() {
        let request = admin.request("POST", &format!("/json-rpc/{}", version.as_str().unwrap()), body);
        assert!(admin.send(&request).unwrap().json()["result"].is_object(), "{version}");
    }
    for version in ["6.0", "12.4", "99", "", "12.3/", "12.3?x=1/"] {
        let request = admin.request("POST", &format!("/json-rpc/{version}"), body);
        let reply = admin.send(&request).unwrap().json();
        match version {
            "12.3?x=1/" => assert!(reply["result"].is_object()),
            _ => assert_eq!(reply["error"]["name"], "xUnknownAPIVersion", "{version}"),
        }
    }
}

#[test]
fn a_method_is_unknown_before_its_version() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    let request = admin.request("POST", "/json-rpc/11.0", br#"{"method":"ListKeyServersKmip","id":1}"#);
    assert_eq!(admin.send(&request).unwrap().json()["error"]["name"], "xUnknownAPIMethod");
}

#[test]
fn other_paths_and_methods_are_plain_refusals() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    for (method, path, status, text) in [
        ("GET", "/", 404, "404 Not Found"),
        ("POST", "/json-rpc", 404, "404 Not Found"),
        ("POST", "/JSON-RPC/12.3", 404, "404 Not Found"),
        ("GET", "/json-rpc/12.3", 405, "405 Method Not Allowed"),
        ("POST", "/metrics", 405, "405 Method Not Allowed"),
    ] {
        let request = admin.request(method, path, b"");
        let response = admin.send(&request).unwrap();
        assert_eq!((response.status, response.text().as_str()), (status, text), "{method} {path}");
    }
}

#[test]
fn metrics_are_given_to_this_machine() {
    let rig = Rig::with_cluster();
    let mut nobody = rig.client(None);
    let request = nobody.request("GET", "/metrics", b"");
    let response = nobody.send(&request).unwrap();
    assert_eq!((response.status, response.text().as_str()), (200, "sear_up 1\n"));
    assert!(response.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
}

#[test]
fn one_connection_serves_many_calls() {
    let rig = Rig::with_cluster();
    let connection = rig.admin().connect().unwrap();
    drop(connection);
    let mut admin = rig.admin();
    for _ in 0..20 {
        admin.ok("GetClusterInfo", json!({}));
    }
}

#[test]
fn clients_call_side_by_side() {
    let rig = Rig::with_cluster();
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                let mut reader = rig.client(Some(READER));
                for _ in 0..10 {
                    reader.ok("ListDrives", json!({}));
                }
            });
        }
    });
    assert_eq!(rig.seen().len(), 120);
}

#[test]
fn a_stopped_server_is_gone_and_a_second_cannot_have_its_address() {
    let rig = Rig::with_cluster();
    let address = rig.server.address();
    let identity = ekm_bridge::rpc::server::Identity::self_signed(&["localhost".into()]).unwrap();
    let config = ekm_bridge::rpc::ServerConfig::new(address, identity);
    assert!(ekm_bridge::rpc::Server::start(config, rig.model.clone(), ekm_bridge::rpc::Hooks::default()).is_err());
    let mut admin = rig.admin();
    admin.ok("GetClusterInfo", json!({}));
    rig.server.stop();
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn a_call_that_runs_is_answered_while_the_server_stops() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    admin.ok("GetClusterInfo", json!({}));
    std::thread::scope(|scope| {
        let running = scope.spawn(move || admin.ok("CreateKeyProviderKmip", json!({"keyProviderName": "slow"})));
        rig.model.wait_for_slow_call();
        rig.server.stop();
        running.join().unwrap();
    });
}

#[test]
fn an_old_connection_is_closed_and_the_next_serves() {
    let rig = Rig::limited(Limits { connection_age: Duration::from_secs(2), ..Limits::default() });
    let mut admin = rig.admin();
    let request = admin.request("POST", "/json-rpc/12.3", br#"{"method":"GetAPI","id":1}"#);
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut tls = admin.connect().unwrap();
    loop {
        assert!(Instant::now() < deadline, "the connection is still open");
        let response = tls.get_mut().write_all(&request).and_then(|()| Response::read(&mut tls));
        if response.is_err() || response.is_ok_and(|response| response.header("connection") == Some("close")) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    admin.ok("GetClusterInfo", json!({}));
}

#[test]
fn calls_over_the_limit_wait_for_their_turn() {
    let rig = Rig::limited(Limits { calls: 1, ..Limits::default() });
    rig.admin().ok("GetAPI", json!({}));
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| rig.admin().ok("CreateKeyProviderKmip", json!({"keyProviderName": "slow"})));
        }
    });
    assert!(begin.elapsed() >= SLOW * 3);
}

#[test]
fn a_call_whose_client_hung_up_keeps_its_turn() {
    let rig = Rig::limited(Limits { calls: 1, ..Limits::default() });
    let mut admin = rig.admin();
    admin.ok("GetAPI", json!({}));
    let begin = Instant::now();
    let mut tls = admin.connect().unwrap();
    let call = br#"{"method":"CreateKeyProviderKmip","params":{"keyProviderName":"slow"}}"#;
    tls.get_mut().write_all(&admin.request("POST", "/json-rpc/12.3", call)).unwrap();
    rig.model.wait_for_slow_call();
    drop(tls);
    admin.ok("GetAPI", json!({}));
    assert!(begin.elapsed() >= SLOW);
}
