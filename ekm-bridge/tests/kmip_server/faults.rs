//! A server that delays, refuses, hangs up before and after the work is done, and dies.

use std::time::{Duration, Instant};

use ekm_bridge::kmip::enums::Operation;
use ekm_bridge::kmip::{Client, ErrorKind, MasterKeys};
use ekm_bridge::transport::{Connection, Endpoint, ServerConfig};

use super::rig::{Server, Start, config, expect, identity, keys, new_name};

#[test]
fn a_reply_lost_after_the_work_leaves_one_key() {
    let Some(server) = Start::extended().or_skip() else { return };
    let mut keys = keys(&server);
    let name = new_name();
    server.fault(r#"{"drop_op": "CREATE", "drop_when": "after", "times": 1}"#);
    let made = keys.create(&name).unwrap();
    server.fault("{}");
    assert_eq!(keys.key(&name).unwrap().0.id, made.id, "and it is the only one");
}

#[test]
fn a_request_lost_before_the_work_is_made_again() {
    let Some(server) = Start::extended().or_skip() else { return };
    let mut keys = keys(&server);
    for operation in ["CREATE", "REGISTER"] {
        let name = new_name();
        server.fault(&format!(r#"{{"drop_op": "{operation}", "drop_when": "before", "times": 1}}"#));
        let (_, key) = match operation {
            "CREATE" => {
                keys.create(&name).unwrap();
                keys.key(&name).unwrap()
            }
            _ => {
                let bytes = keywrap::secret::Secret::random().unwrap();
                keys.register(&name, &keywrap::keys::MasterKey(bytes)).unwrap();
                keys.key(&name).unwrap()
            }
        };
        assert_ne!(key.0.expose_secret(), &[0; 32]);
    }
}

#[test]
fn when_every_reply_is_lost_the_caller_learns_it_and_can_go_on_later() {
    let Some(server) = Start::extended().or_skip() else { return };
    let mut keys = keys(&server);
    let name = new_name();
    server.fault(r#"{"drop_op": "CREATE", "drop_when": "before"}"#);
    expect(keys.create(&name), ErrorKind::ReplyLost, &["Create", "may have been carried out"]);
    server.fault("{}");
    assert!(!keys.create(&name).unwrap().was_there);
}

#[test]
fn a_server_that_dies_between_create_and_activate_leaves_a_key_to_be_taken_up() {
    let Some(server) = Start::extended().or_skip() else { return };
    let mut keys = keys(&server);
    let name = new_name();
    server.fault(r#"{"drop_op": "ACTIVATE", "drop_when": "before"}"#);
    expect(keys.create(&name), ErrorKind::Unreachable, &["Activate"]);
    server.fault("{}");
    assert!(keys.create(&name).unwrap().was_there);
}

#[test]
fn refusals_of_every_operation_are_refusals() {
    let Some(server) = Start::extended().or_skip() else { return };
    let mut keys = keys(&server);
    let name = new_name();
    let id = keys.create(&name).unwrap().id;
    for (operation, reason) in
        [("LOCATE", "PERMISSION_DENIED"), ("GET", "GENERAL_FAILURE"), ("GET", "KEY_VALUE_NOT_PRESENT")]
    {
        server.fault(&format!(r#"{{"fail_op": "{operation}", "fail_reason": "{reason}"}}"#));
        expect(keys.key(&name), ErrorKind::Refused, &["a fault of the test"]);
    }
    server.fault(r#"{"fail_op": "REVOKE", "fail_reason": "ILLEGAL_OPERATION"}"#);
    expect(keys.revoke(&id), ErrorKind::Refused, &["Revoke"]);
    server.fault(r#"{"fail_op": "GET", "fail_reason": "ITEM_NOT_FOUND"}"#);
    expect(keys.key(&name), ErrorKind::Absent, &["Item Not Found"]);
    server.fault(r#"{"fail_op": "GET", "fail_reason": "AUTHENTICATION_NOT_SUCCESSFUL"}"#);
    expect(keys.key(&name), ErrorKind::NotAuthenticated, &["clientAuth"]);
}

/// A client that does not wait long.
fn hasty(server: &Server) -> MasterKeys<Connection> {
    let config = ServerConfig { request_timeout: Duration::from_millis(700), ..config("localhost", server.port()) };
    MasterKeys::new(Client::new(Connection::new(config, identity(server.prepared(), "ca", "client"))))
}

#[test]
fn a_late_answer_is_not_waited_for() {
    let Some(server) = Start::extended().or_skip() else { return };
    let name = new_name();
    keys(&server).create(&name).unwrap();
    let mut hasty = hasty(&server);
    hasty.client().version().unwrap();
    server.fault(r#"{"delay_ms": 5000, "delay_op": "GET"}"#);
    let started = Instant::now();
    expect(hasty.key(&name), ErrorKind::Unreachable, &["no answer within 700ms"]);
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_create_that_answers_too_late_is_found_by_the_search_after_it() {
    let Some(server) = Start::extended().or_skip() else { return };
    let mut hasty = hasty(&server);
    hasty.client().version().unwrap();
    let name = new_name();
    server.fault(r#"{"delay_ms": 1500, "delay_op": "CREATE"}"#);
    // PyKMIP carries out one request at a time, so the search waits for the late Create, and may be too late itself.
    let outcome = hasty.create(&name);
    server.fault("{}");
    std::thread::sleep(Duration::from_millis(1600));
    if let Err(error) = outcome {
        assert!(matches!(error.kind, ErrorKind::Unreachable | ErrorKind::ReplyLost), "{error}");
    }
    let mut patient = keys(&server);
    patient.create(&name).unwrap();
    patient.key(&name).unwrap();
}

#[test]
fn a_server_that_is_gone_is_unreachable_and_the_next_address_is_tried() {
    let Some(server) = Start::extended().or_skip() else { return };
    let nobody = Endpoint { host: "127.0.0.1".into(), port: 1 };
    let gone = ServerConfig { endpoints: vec![nobody.clone()], ..config("localhost", 1) };
    let identity = || identity(server.prepared(), "ca", "client");
    let mut client = Client::new(Connection::new(gone, identity()));
    expect(client.version(), ErrorKind::Unreachable, &["127.0.0.1:1", "nothing listens"]);
    let there = Endpoint { host: "localhost".into(), port: server.port() };
    let both = ServerConfig { endpoints: vec![nobody, there], ..config("localhost", 1) };
    let mut keys = MasterKeys::new(Client::new(Connection::new(both, identity())));
    keys.create(&new_name()).unwrap();
    drop(server);
    expect(keys.create(&new_name()), ErrorKind::Unreachable, &["127.0.0.1:1", "localhost"]);
}

#[test]
fn an_operation_hung_up_on_once_is_asked_again_on_a_fresh_connection() {
    let Some(server) = Start::extended().or_skip() else { return };
    let mut keys = keys(&server);
    let name = new_name();
    keys.create(&name).unwrap();
    server.fault(r#"{"drop_op": "GET", "drop_when": "before", "times": 1}"#);
    assert!(keys.key(&name).is_ok(), "the connection was in use, so the request is sent once more");
    assert_eq!(Operation::GET.to_string(), "Get");
}
