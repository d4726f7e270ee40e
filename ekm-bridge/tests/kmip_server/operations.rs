//! Every operation by itself.

use ekm_bridge::kmip::attributes::{Attribute, AttributeName};
use ekm_bridge::kmip::enums::*;
use ekm_bridge::kmip::ops::*;
use ekm_bridge::kmip::{Client, ErrorKind, Exchange, ProtocolVersion, Tag, UniqueId};
use keywrap::secret::SecretBytes;

use super::rig::{client, expect, shared};

const V1_4: Option<ProtocolVersion> = Some(ProtocolVersion::V1_4);

fn aes(more: Vec<Attribute>) -> Create {
    let mut attributes = vec![
        Attribute::algorithm(CryptographicAlgorithm::AES),
        Attribute::length(256),
        Attribute::usage(usage::ENCRYPT | usage::DECRYPT | usage::WRAP_KEY | usage::UNWRAP_KEY),
    ];
    attributes.extend(more);
    Create { attributes }
}

/// A new key that may be used.
fn active<E: Exchange>(client: &mut Client<E>) -> UniqueId {
    let id = client.call(&aes(vec![])).unwrap();
    client.call(&Activate { object: Some(id.clone()) }).unwrap();
    id
}

#[test]
fn discover_versions_and_query_tell_what_the_server_is() {
    let Some(server) = shared() else { return };
    let mut client = client(server, V1_4);
    let versions = client.call(&DiscoverVersions { offered: vec![] }).unwrap();
    assert!(versions.contains(&ProtocolVersion::V1_0) && versions.contains(&ProtocolVersion::V2_0), "{versions:?}");
    let query = Query { functions: vec![QueryFunction::QUERY_OPERATIONS, QueryFunction::QUERY_SERVER_INFORMATION] };
    let answer = client.call(&query).unwrap();
    assert!(answer.operations.contains(&Operation::ENCRYPT), "{answer:?}");
}

#[test]
fn attributes_are_listed_read_added_and_changed() {
    let Some(server) = shared() else { return };
    let mut client = client(server, V1_4);
    let object = Some(client.call(&aes(vec![Attribute::custom("colour", "red")])).unwrap());
    let list = client.call(&GetAttributeList { object: object.clone() }).unwrap();
    assert!(list.contains(&AttributeName::Standard(Tag::STATE)), "{list:?}");
    let read = |client: &mut Client<_>| client.call(&GetAttributes { object: object.clone(), names: vec![] }).unwrap();
    let set = read(&mut client);
    assert!(set.has_custom("colour", "red"));
    assert_eq!(set.object_type(), Some(ObjectType::SYMMETRIC_KEY));
    assert_eq!((set.algorithm(), set.length()), (Some(CryptographicAlgorithm::AES), Some(256)));
    client.call(&AddAttribute { object: object.clone(), attribute: Attribute::custom("x-shape", "round") }).unwrap();
    client.call(&ModifyAttribute { object: object.clone(), attribute: Attribute::custom("colour", "blue") }).unwrap();
    let set = read(&mut client);
    assert!(set.has_custom("colour", "blue") && !set.has_custom("colour", "red") && set.has_custom("shape", "round"));
    let named = client.call(&GetAttributes { object: object.clone(), names: vec![AttributeName::custom("shape")] });
    assert!(named.unwrap().has_custom("shape", "round"));
}

#[test]
fn locate_finds_by_name_and_counts() {
    let Some(server) = shared() else { return };
    for version in [ProtocolVersion::V1_4, ProtocolVersion::V2_0] {
        let mut client = client(server, Some(version));
        let name = format!("of {version}");
        let id = client.call(&aes(vec![Attribute::name(&name)])).unwrap();
        client.call(&aes(vec![Attribute::name("another")])).unwrap();
        let located = client.call(&Locate { attributes: vec![Attribute::name(&name)], ..Locate::default() }).unwrap();
        assert_eq!(located.ids, [id], "{version}");
        let one = client.call(&Locate { maximum: Some(1), ..Locate::default() }).unwrap();
        assert_eq!(one.ids.len(), 1, "{version}");
    }
}

#[test]
fn encrypt_and_decrypt_give_back_what_was_sent() {
    let Some(server) = shared() else { return };
    for version in [ProtocolVersion::V1_2, ProtocolVersion::V1_4, ProtocolVersion::V2_0] {
        let mut client = client(server, Some(version));
        let object = Some(active(&mut client));
        let parameters = CryptographicParameters {
            mode: Some(BlockCipherMode::CBC),
            padding: Some(PaddingMethod::PKCS5),
            algorithm: Some(CryptographicAlgorithm::AES),
            tag_length: None,
        };
        let data = SecretBytes::copy_from(b"a secret of some length");
        let iv = Some(vec![9; 16]);
        let request = Encrypt { object: object.clone(), parameters, data, iv: iv.clone(), additional: None };
        let encrypted = client.call(&request).unwrap();
        assert_eq!(encrypted.data.len(), 32, "{version}");
        let request = Decrypt { object, parameters, data: encrypted.data, iv, additional: None, tag: None };
        assert_eq!(client.call(&request).unwrap().expose_secret(), b"a secret of some length", "{version}");
    }
}

#[test]
fn a_key_comes_wrapped_under_another() {
    let Some(server) = shared() else { return };
    let mut client = client(server, V1_4);
    let (wrapping_key, key) = (active(&mut client), active(&mut client));
    let parameters =
        CryptographicParameters { mode: Some(BlockCipherMode::NISTKEYWRAP), ..CryptographicParameters::default() };
    let wrapping = WrappingSpecification {
        wrapping_key: wrapping_key.clone(),
        parameters,
        encoding: Some(EncodingOption::NO_ENCODING),
    };
    let got = client.call(&Get { object: Some(key), format: None, wrapping: Some(wrapping) }).unwrap();
    let block = got.key.unwrap();
    assert_eq!(block.material.expose_secret().len(), 40, "RFC 3394 adds eight bytes");
    let how = block.wrapping.unwrap();
    assert_eq!((how.method, how.wrapping_key), (WrappingMethod::ENCRYPT, Some(wrapping_key)));
}

#[test]
fn rekey_makes_another_key_with_the_same_name() {
    let Some(server) = shared() else { return };
    let mut client = client(server, V1_4);
    let old = client.call(&aes(vec![Attribute::name("rekeyed")])).unwrap();
    let new = client.call(&ReKey { object: Some(old.clone()), offset: None, attributes: vec![] }).unwrap();
    assert_ne!(old, new);
    let located = client.call(&Locate { attributes: vec![Attribute::name("rekeyed")], ..Locate::default() }).unwrap();
    assert_eq!(located.ids, [new]);
}

#[test]
fn a_batch_works_on_the_object_that_it_made() {
    let Some(server) = shared() else { return };
    let mut client = client(server, V1_4);
    let version = client.version().unwrap();
    let items = vec![
        aes(vec![]).to_item(version),
        Activate::default().to_item(version),
        Activate::default().to_item(version),
        Destroy::default().to_item(version),
    ];
    let reply = client.batch(items, Repeat::MakesAnother).unwrap();
    let id = reply.read::<Create>(0).unwrap();
    reply.read::<Activate>(1).unwrap();
    expect(reply.read::<Activate>(2), ErrorKind::Refused, &["Activate"]);
    let state = client.call(&GetAttributes { object: Some(id), names: vec![AttributeName::Standard(Tag::STATE)] });
    assert_eq!(state.unwrap().state(), Some(State::ACTIVE));
}

#[test]
fn what_the_server_cannot_do_is_refused_by_name() {
    let Some(server) = shared() else { return };
    let mut client = client(server, V1_4);
    let object = Some(active(&mut client));
    expect(client.call(&Check { object, ..Check::default() }), ErrorKind::Refused, &["Check", "Not Supported"]);
    // PyKMIP cannot even read this one.
    expect(client.call(&RngRetrieve { length: 32 }), ErrorKind::Refused, &["RNG Retrieve"]);
    // The connection has survived both.
    active(&mut client);
}
