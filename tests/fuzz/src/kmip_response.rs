//! Everything a key manager can answer: one message, read as the answer to every operation in turn.
#![no_main]

use ekm_bridge::kmip::fields::Fields;
use ekm_bridge::kmip::master_keys::MasterKeys;
use ekm_bridge::kmip::message::Response;
use ekm_bridge::kmip::ops::{
    Activate, AddAttribute, Check, Create, Decrypt, Destroy, DiscoverVersions, Encrypt, Get, GetAttributeList,
    GetAttributes, Locate, ModifyAttribute, Query, ReKey, Register, Repeat, Request, Revoke, RngRetrieve,
};
use ekm_bridge::kmip::ttlv::{Limits, decode, encode};
use ekm_bridge::kmip::{Client, Exchange, ExchangeError, KeyName, UniqueId};
use keywrap::keys::KeyId;
use libfuzzer_sys::fuzz_target;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A server that always says the same.
struct Parrot<'a>(&'a [u8]);

impl Exchange for Parrot<'_> {
    fn server(&self) -> &str {
        "parrot"
    }

    fn exchange(&mut self, _: &[u8], _: Repeat) -> Result<Zeroizing<Vec<u8>>, ExchangeError> {
        Ok(Zeroizing::new(self.0.to_vec()))
    }
}

fuzz_target!(|bytes: &[u8]| {
    codec(bytes);
    payloads(bytes);
    verbs(bytes);
});

/// What is decoded can be described, and encodes to a message that decodes to the same.
fn codec(bytes: &[u8]) {
    let Ok(item) = decode(bytes, &Limits::STANDARD) else { return };
    let shown = item.describe().to_string();
    let again = encode(&item);
    let Ok(item) = decode(&again, &Limits::STANDARD) else { panic!("what was encoded does not decode: {shown}") };
    assert_eq!(*encode(&item), *again);
}

/// Every payload of the message, as the answer to every operation.
fn payloads(bytes: &[u8]) {
    let Ok(response) = Response::parse(bytes, &Limits::STANDARD) else { return };
    let Ok(items) = response.items() else { return };
    for item in items {
        match item.outcome {
            Ok(payload) => every_operation(payload),
            Err(failure) => {
                assert!(!(failure.says_absent() && failure.says_not_authenticated()), "{failure}");
            }
        }
    }
}

fn every_operation(payload: Fields<'_>) {
    fn read<R: Request>(payload: Fields<'_>) {
        drop(R::read(payload));
    }
    read::<Activate>(payload);
    read::<AddAttribute>(payload);
    read::<Check>(payload);
    read::<Create>(payload);
    read::<Decrypt>(payload);
    read::<Destroy>(payload);
    read::<DiscoverVersions>(payload);
    read::<Encrypt>(payload);
    read::<Get>(payload);
    read::<GetAttributeList>(payload);
    read::<GetAttributes>(payload);
    read::<Locate>(payload);
    read::<ModifyAttribute>(payload);
    read::<Query>(payload);
    read::<ReKey>(payload);
    read::<Register>(payload);
    read::<Revoke>(payload);
    read::<RngRetrieve>(payload);
}

/// A negotiation and the verbs come to an end whatever the server says.
fn verbs(bytes: &[u8]) {
    let mut keys = MasterKeys::new(Client::new(Parrot(bytes)));
    let name = KeyName { cluster: Uuid::from_u128(1), key: KeyId(Uuid::from_u128(2)) };
    let id = UniqueId("1".into());
    drop(keys.create(&name));
    drop(keys.key(&name));
    drop(keys.get(&id));
    drop(keys.revoke(&id));
    drop(keys.destroy(&id));
}
