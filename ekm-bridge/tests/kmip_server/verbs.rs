//! The verbs of a key provider.

use ekm_bridge::keyserver::{Access, KeyServer};
use ekm_bridge::kmip::attributes::Attribute;
use ekm_bridge::kmip::enums::{CryptographicAlgorithm, Operation, State, usage};
use ekm_bridge::kmip::master_keys::{Change, CustomAttribute};
use ekm_bridge::kmip::ops::{Create, ReKey};
use ekm_bridge::kmip::{Credential, ErrorKind, MasterKeys, ProtocolVersion};

use super::rig::{Server, Start, client, config, credential, expect, identity, keys, new_name, shared};

/// Custom attributes are there in 1.x only.
const CUSTOM: Option<ProtocolVersion> = Some(ProtocolVersion::V1_4);

#[test]
fn a_key_carries_name_and_custom_attribute_and_is_found_by_either() {
    let Some(server) = shared() else { return };
    let mut keys = MasterKeys::new(client(server, CUSTOM));
    let name = new_name();
    let made = keys.create(&name).unwrap();
    assert_eq!((made.custom, made.was_there), (CustomAttribute::Present, false));
    assert!(keys.create(&name).unwrap().was_there);
    // ReKey moves the Name and copies the custom attribute: two objects answer then, which a person must sort out.
    keys.client().call(&ReKey { object: Some(made.id), offset: None, attributes: vec![] }).unwrap();
    expect(keys.key(&name), ErrorKind::Ambiguous, &[&name.name()]);
}

#[test]
fn a_server_that_ignores_the_custom_search_gives_out_only_the_key_asked_for() {
    let Some(server) = Start::extended().with(&["--ignore-custom-search"]).or_skip() else { return };
    let mut keys = MasterKeys::new(client(&server, CUSTOM));
    let names = [new_name(), new_name(), new_name()];
    let made: Vec<_> = names.iter().map(|name| keys.create(name).unwrap().id).collect();
    for (name, id) in names.iter().zip(&made) {
        assert_eq!(keys.key(name).unwrap().0.id, *id);
    }
    assert_eq!(keys.find(&new_name()).unwrap(), None);
}

#[test]
fn two_objects_of_one_name_are_ambiguous() {
    let Some(server) = shared() else { return };
    let mut keys = keys(server);
    let name = new_name();
    for _ in 0..2 {
        let attributes = vec![
            Attribute::algorithm(CryptographicAlgorithm::AES),
            Attribute::length(256),
            Attribute::usage(usage::ENCRYPT | usage::DECRYPT),
            Attribute::name(&name.name()),
        ];
        keys.client().call(&Create { attributes }).unwrap();
    }
    expect(keys.key(&name), ErrorKind::Ambiguous, &["2 objects"]);
}

#[test]
fn revoking_and_destroying_may_be_repeated() {
    let Some(server) = shared() else { return };
    let mut keys = keys(server);
    let name = new_name();
    let id = keys.create(&name).unwrap().id;
    assert_eq!(keys.state(&id).unwrap(), Some(State::ACTIVE));
    assert!(keys.destroy(&id).is_err(), "an active key is not destroyed");
    assert_eq!((keys.revoke(&id).unwrap(), keys.revoke(&id).unwrap()), (Change::Done, Change::WasSo));
    assert_eq!(keys.state(&id).unwrap(), Some(State::DEACTIVATED));
    assert!(keys.key(&name).is_ok(), "a revoked key can still be read");
    assert_eq!((keys.destroy(&id).unwrap(), keys.destroy(&id).unwrap()), (Change::Done, Change::WasSo));
    assert_eq!(keys.revoke(&id).unwrap(), Change::WasSo);
    expect(keys.get(&id), ErrorKind::Absent, &["Item Not Found"]);
    expect(keys.key(&name), ErrorKind::Absent, &[&name.name()]);
}

#[test]
fn a_revoked_key_that_the_server_withholds_is_refused_not_absent() {
    let Some(server) = Start::extended().with(&["--deny-inactive-get"]).or_skip() else { return };
    let mut keys = keys(&server);
    let name = new_name();
    let id = keys.create(&name).unwrap().id;
    keys.key(&name).unwrap();
    keys.revoke(&id).unwrap();
    expect(keys.key(&name), ErrorKind::Refused, &["Permission Denied", "not active"]);
}

#[test]
fn a_key_is_copied_to_a_second_server_once() {
    let Some(first) = shared() else { return };
    let Some(second) = Start::extended().or_skip() else { return };
    let name = new_name();
    let (mut first, mut second) = (keys(first), keys(&second));
    first.create(&name).unwrap();
    let (_, key) = first.key(&name).unwrap();
    assert!(!second.register(&name, &key).unwrap().was_there);
    assert!(second.register(&name, &key).unwrap().was_there);
    assert_eq!(second.key(&name).unwrap().1.0.expose_secret(), key.0.expose_secret());
    let other = new_name();
    second.create(&other).unwrap();
    expect(second.register(&other, &key), ErrorKind::Ambiguous, &["another key"]);
}

#[test]
fn another_client_does_not_see_the_key() {
    let Some(server) = shared() else { return };
    let name = new_name();
    let id = keys(server).create(&name).unwrap().id;
    let other = KeyServer::new(access(server, "localhost", "client2", None));
    expect(other.keys().get(&id), ErrorKind::Refused, &["Permission Denied"]);
}

#[test]
fn a_server_with_users_wants_the_right_password() {
    let Some(server) = Start::extended().with(&["--user", "node-1:hunter2"]).or_skip() else { return };
    let with = |credential| access(&server, "127.0.0.1", "client", credential);
    let right = KeyServer::new(with(credential("node-1", "hunter2")));
    right.keys().create(&new_name()).unwrap();
    for wrong in [None, credential("node-1", "wrong-secret")] {
        let error = KeyServer::new(with(wrong)).check().err().unwrap();
        assert_eq!(error.kind, ErrorKind::NotAuthenticated, "{error}");
        assert!(!error.to_string().contains("wrong-secret") && !format!("{error:?}").contains("wrong-secret"));
    }
}

#[test]
fn a_server_is_asked_what_it_can_do_and_reached_in_a_new_way_without_a_gap() {
    let Some(server) = shared() else { return };
    let as_client = |host, name| access(server, host, name, None);
    let key_server = KeyServer::new(as_client("localhost", "client"));
    let (version, description) = key_server.check().unwrap();
    assert_eq!(version, ProtocolVersion::V2_0);
    assert!(description.operations.contains(&Operation::LOCATE), "{description:?}");
    let name = new_name();
    key_server.keys().create(&name).unwrap();
    assert!(key_server.replace(as_client("localhost", "client_foreign")).is_err());
    assert!(key_server.keys().key(&name).is_ok(), "the old way still works");
    key_server.replace(as_client("127.0.0.1", "client")).unwrap();
    assert!(key_server.keys().key(&name).is_ok());
}

/// The way to the server, as the client with this certificate.
fn access(server: &Server, host: &str, name: &str, credential: Option<Credential>) -> Access {
    let identity = identity(server.prepared(), "ca", name);
    Access { server: config(host, server.port()), identity, credential, version: None }
}
