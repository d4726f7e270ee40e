//! What is refused, and that nothing is changed by it.

use ekm_bridge::provider::ErrorKind;
use ekm_bridge::rpc::ErrorName;
use ekm_bridge::rpc::control::{HardwareEncryption, KeyPair, KeyProviders, KeyServers};
use ekm_bridge::rpc::types::key_providers::{AddKeyServer, ListKeyProviders};
use ekm_bridge::rpc::types::key_servers::{ListKeyServers, ModifyKeyServer};
use ekm_bridge::rpc::types::trust::CreateKeyPair;
use ekm_bridge::rpc::types::{KeyProviderId, KeyServerId};
use keywrap::keys::KeyId;

use crate::rig::{World, begin_rekey, create_cluster, is_done, refused, rekey};

fn change(id: KeyServerId, host: Option<&str>) -> ModifyKeyServer {
    ModifyKeyServer {
        id,
        kmip_ca_certificate: None,
        kmip_client_certificate: None,
        kmip_key_server_hostnames: host.map(|host| vec![host.into()]),
        kmip_key_server_name: None,
        kmip_key_server_port: None,
    }
}

#[test]
fn an_active_provider_keeps_its_last_server_its_keys_and_the_key_pair() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    assert!(is_done(&rekey(&control, Some(provider))));
    let server = control.key_provider(provider).unwrap().servers[0];
    refused(control.delete_key_server(server), ErrorName::LastKeyServerOfActiveProvider);
    refused(control.remove_key_server(server), ErrorName::LastKeyServerOfActiveProvider);
    refused(control.delete_key_provider(provider), ErrorName::KeyProviderIsActive);
    refused(control.create_key_pair(&CreateKeyPair::default()), ErrorName::KeyPairInUse);
    // With a second server the first may go.
    world.add_server(&control, provider, "spare");
    control.remove_key_server(server).unwrap();
    control.remove_key_server(server).unwrap();
    control.delete_key_server(server).unwrap();
    assert_eq!(world.contact.at("spare").keys().len(), 1, "it has the key");
}

#[test]
fn an_inactive_provider_lets_everything_go() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    control.create_key_pair(&CreateKeyPair::default()).unwrap();
    control.delete_key_provider(provider).unwrap();
    let left = control.key_servers(ListKeyServers::default()).unwrap();
    assert_eq!(left.iter().map(|server| server.provider).collect::<Vec<_>>(), [None]);
    control.delete_key_server(left[0].id).unwrap();
}

#[test]
fn what_does_not_exist_is_named() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    let (no_server, no_provider) = (KeyServerId(99), KeyProviderId(99));
    refused(control.key_server(no_server), ErrorName::KeyServerDoesNotExist);
    refused(control.test_key_server(no_server), ErrorName::KeyServerDoesNotExist);
    refused(control.modify_key_server(change(no_server, None)), ErrorName::KeyServerDoesNotExist);
    refused(control.delete_key_server(no_server), ErrorName::KeyServerDoesNotExist);
    refused(control.remove_key_server(no_server), ErrorName::KeyServerDoesNotExist);
    refused(control.key_provider(no_provider), ErrorName::KeyProviderDoesNotExist);
    refused(control.delete_key_provider(no_provider), ErrorName::KeyProviderDoesNotExist);
    refused(control.test_key_provider(no_provider), ErrorName::KeyProviderDoesNotExist);
    refused(begin_rekey(&control, Some(no_provider)), ErrorName::KeyProviderDoesNotExist);
    let both = AddKeyServer { provider, server: no_server };
    refused(control.add_key_server(both), ErrorName::KeyServerDoesNotExist);
    refused(control.enable_encryption(Some(no_provider)), ErrorName::KeyProviderDoesNotExist);
    refused(control.enable_encryption(None), ErrorName::ApiNotPermitted);
    refused(control.disable_encryption(), ErrorName::ApiNotPermitted);
}

#[test]
fn a_server_joins_only_when_it_answers_and_holds_the_same_keys() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    let server = world.create_server(&control, "other");
    for (kind, name) in [
        (ErrorKind::Unreachable, ErrorName::KmipConnectionFailed),
        (ErrorKind::NotAuthenticated, ErrorName::KmipAuthenticationFailed),
        (ErrorKind::Refused, ErrorName::KmipServerError),
    ] {
        world.contact.at("other").fail(kind);
        refused(control.add_key_server(AddKeyServer { provider, server }), name);
        refused(control.test_key_server(server), name);
        refused(control.modify_key_server(change(server, Some("other"))), name);
    }
    world.contact.at("other").fail(None);
    let id = KeyId::random();
    world.contact.at("vault").put(id, 1);
    world.contact.at("other").put(id, 2);
    refused(control.add_key_server(AddKeyServer { provider, server }), ErrorName::KeySyncConflict);
    assert_eq!(control.key_server(server).unwrap().provider, None);
    world.contact.at("other").put(id, 1);
    control.add_key_server(AddKeyServer { provider, server }).unwrap();
    control.add_key_server(AddKeyServer { provider, server }).unwrap();
    let second = control.create_key_provider("second".into()).unwrap().id;
    refused(control.add_key_server(AddKeyServer { provider: second, server }), ErrorName::KeyServerInUse);
    refused(control.test_key_provider(second), ErrorName::KeyProviderHasNoServer);
    refused(begin_rekey(&control, Some(second)), ErrorName::KeyProviderHasNoServer);
    let filter = ListKeyProviders { key_provider_is_active: None, kmip_key_provider_has_server_assigned: Some(false) };
    assert_eq!(control.key_providers(filter).unwrap()[0].id, second);
}

#[test]
fn modify_contacts_before_it_changes_and_create_does_not_contact() {
    let world = World::new();
    let (control, provider) = world.with_provider();
    let server = control.key_provider(provider).unwrap().servers[0];
    let asked = world.contact.at("vault").requests();
    assert_eq!(control.modify_key_server(change(server, None)).unwrap().id, server);
    assert_eq!(world.contact.at("vault").requests(), asked, "an id alone contacts nobody");
    world.contact.at("moved").fail(ErrorKind::Unreachable);
    refused(control.modify_key_server(change(server, Some("moved"))), ErrorName::KmipConnectionFailed);
    assert_eq!(control.key_server(server).unwrap().kmip_key_server_hostnames, ["vault"]);
    world.contact.at("moved").fail(None);
    control.modify_key_server(change(server, Some("moved"))).unwrap();
    assert!(is_done(&rekey(&control, Some(provider))));
    assert_eq!((world.contact.at("moved").keys().len(), world.contact.at("vault").keys().len()), (1, 0));
    world.contact.at("new").fail(ErrorKind::Unreachable);
    world.create_server(&control, "new");
    assert_eq!(world.contact.at("new").requests(), 0, "create contacts nobody");
}

#[test]
fn certificates_that_cannot_serve_are_refused() {
    let world = World::new();
    let control = world.boot();
    create_cluster(&control);
    refused(control.sign_request(), ErrorName::KeyPairDoesNotExist);
    control.create_key_pair(&CreateKeyPair::default()).unwrap();
    let good = world.new_server("vault");
    let mut bad = good.clone();
    bad.kmip_ca_certificate = "no certificate".into();
    refused(control.create_key_server(bad), ErrorName::KmipCertificateInvalid);
    let mut swapped = good.clone();
    std::mem::swap(&mut swapped.kmip_ca_certificate, &mut swapped.kmip_client_certificate);
    refused(control.create_key_server(swapped), ErrorName::KmipCertificateInvalid);
    control.create_key_pair(&CreateKeyPair::default()).unwrap();
    let message = refused(control.create_key_server(good), ErrorName::KmipCertificateInvalid);
    assert!(message.contains("another key pair"), "{message}");
    let subject = CreateKeyPair { country: Some("Germany".into()), ..CreateKeyPair::default() };
    refused(control.create_key_pair(&subject), ErrorName::InvalidParameter);
}
