//! Random orders of verbs: the rules hold after each, and what is refused changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::store::MemoryStore;
use crate::time::UnixSeconds;

fn records() -> Records {
    Records::new(Arc::new(MemoryStore::new()))
}

fn server(records: &Records) -> KeyServer {
    let make = |id| KeyServer {
        id,
        name: "kms".into(),
        hostnames: vec!["kms.example.org".into()],
        port: 5696,
        ca_certificate: "ca".into(),
        client_certificate: "client".into(),
        provider: None,
    };
    records.table().insert(make).unwrap()
}

fn key(provider: KeyProviderId) -> MasterKeyRecord {
    MasterKeyRecord {
        id: KeyId::random(),
        management: Management::External(provider),
        unique_identifiers: BTreeMap::new(),
        created: UnixSeconds(1),
        state: MasterKeyState::Created,
    }
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, KeyManagementError>) -> Refusal {
    match outcome.unwrap_err() {
        KeyManagementError::Refused(refusal) => refusal,
        KeyManagementError::Record(error) => panic!("{error}"),
    }
}

#[test]
fn a_provider_is_active_from_its_first_key_until_its_last_is_destroyed() {
    let records = records();
    let verbs = KeyManagement::new(&records);
    let provider = verbs.create_provider("p").unwrap().id;
    let key = key(provider);
    assert_eq!(refusal(verbs.record_key(&key)), Refusal::NoServer(provider));
    let server = server(&records).id;
    verbs.assign(server, provider).unwrap();
    verbs.record_key(&key).unwrap();
    assert!(matches!(verbs.record_key(&key), Err(KeyManagementError::Record(RecordError::Exists { .. }))));
    let last = Refusal::LastServer { server, provider };
    assert_eq!(refusal(verbs.delete_provider(provider)), Refusal::ProviderActive(provider));
    assert_eq!(refusal(verbs.delete_server(server)), last);
    assert_eq!(refusal(verbs.unassign(server)), last);
    for state in [MasterKeyState::ToDecommission, MasterKeyState::Revoked] {
        verbs.move_key(key.id, state).unwrap();
        assert!(records.table::<KeyProviderRecord>().need(provider).unwrap().active, "{state:?}");
    }
    verbs.move_key(key.id, MasterKeyState::Destroyed).unwrap();
    assert!(!records.table::<KeyProviderRecord>().need(provider).unwrap().active);
    verbs.delete_provider(provider).unwrap();
    assert_eq!(records.table::<KeyServer>().need(server).unwrap().provider, None);
}

#[test]
fn assigning_and_ending_it_twice_is_once_and_two_providers_share_no_server() {
    let records = records();
    let verbs = KeyManagement::new(&records);
    let (one, two) = (verbs.create_provider("1").unwrap().id, verbs.create_provider("2").unwrap().id);
    let server = server(&records).id;
    assert_eq!(verbs.assign(server, one).unwrap(), Assignment::New);
    assert_eq!(verbs.assign(server, one).unwrap(), Assignment::Already);
    assert_eq!(refusal(verbs.assign(server, two)), Refusal::ServesAnother { server, provider: one });
    assert_eq!(verbs.unassign(server).unwrap(), Assignment::New);
    assert_eq!(verbs.unassign(server).unwrap(), Assignment::Already);
    assert_eq!(verbs.assign(server, two).unwrap(), Assignment::New);
}

#[test]
fn a_key_does_not_go_back() {
    let records = records();
    let verbs = KeyManagement::new(&records);
    let mut key = key(KeyProviderId(1));
    key.management = Management::Internal;
    verbs.record_key(&key).unwrap();
    verbs.move_key(key.id, MasterKeyState::ToDecommission).unwrap();
    let refused = refusal(verbs.move_key(key.id, MasterKeyState::Active));
    assert!(matches!(refused, Refusal::KeyState { .. }));
}

#[derive(Clone, Debug)]
enum Verb {
    CreateProvider,
    CreateServer,
    DeleteProvider(u64),
    DeleteServer(u64),
    Assign(u64, u64),
    Unassign(u64),
    MakeKey(u64),
    MoveKey(usize, usize),
}

fn verb() -> impl Strategy<Value = Verb> {
    let id = || 1..5_u64;
    prop_oneof![
        1 => Just(Verb::CreateProvider),
        2 => Just(Verb::CreateServer),
        1 => id().prop_map(Verb::DeleteProvider),
        1 => id().prop_map(Verb::DeleteServer),
        3 => (id(), id()).prop_map(|(server, provider)| Verb::Assign(server, provider)),
        1 => id().prop_map(Verb::Unassign),
        2 => id().prop_map(Verb::MakeKey),
        4 => (0..4_usize, 0..5_usize).prop_map(|(key, state)| Verb::MoveKey(key, state)),
    ]
}

fn apply(records: &Records, keys: &mut Vec<KeyId>, verb: &Verb) -> bool {
    let verbs = KeyManagement::new(records);
    match *verb {
        Verb::CreateProvider => verbs.create_provider("p").is_ok(),
        Verb::CreateServer => server(records).id.0 > 0,
        Verb::DeleteProvider(id) => verbs.delete_provider(KeyProviderId(id)).is_ok(),
        Verb::DeleteServer(id) => verbs.delete_server(KeyServerId(id)).is_ok(),
        Verb::Assign(server, provider) => verbs.assign(KeyServerId(server), KeyProviderId(provider)).is_ok(),
        Verb::Unassign(id) => verbs.unassign(KeyServerId(id)).is_ok(),
        Verb::MakeKey(provider) => {
            let key = key(KeyProviderId(provider));
            let made = verbs.record_key(&key).is_ok();
            keys.extend(made.then_some(key.id));
            made
        }
        Verb::MoveKey(key, state) => {
            keys.get(key).is_some_and(|key| verbs.move_key(*key, MasterKeyState::ALL[state]).is_ok())
        }
    }
}

/// What must hold at any time.
fn check(records: &Records) {
    let providers = records.table::<KeyProviderRecord>().list().unwrap();
    let servers = records.table::<KeyServer>().list().unwrap();
    let keys = records.table::<MasterKeyRecord>().list().unwrap();
    for provider in &providers {
        assert_eq!(provider.active, is_active(provider.id, &keys), "{provider:?}");
        let has_server = servers.iter().any(|server| server.provider == Some(provider.id));
        assert!(has_server || !provider.active, "{provider:?} is active without a server");
    }
    for server in &servers {
        let known = server.provider.is_none_or(|id| providers.iter().any(|provider| provider.id == id));
        assert!(known, "{server:?} serves a provider that is gone");
    }
    for key in keys.iter().filter(|key| key.is_outstanding()) {
        let known = key.provider().is_none_or(|id| providers.iter().any(|provider| provider.id == id));
        assert!(known, "{key:?} has lost its provider");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_rules_hold_after_any_order_of_verbs(verbs in proptest::collection::vec(verb(), 1..60)) {
        let store = Arc::new(MemoryStore::new());
        let records = Records::new(store.clone());
        let mut keys = Vec::new();
        for verb in &verbs {
            let before = store.snapshot();
            let happened = apply(&records, &mut keys, verb);
            prop_assert!(happened || store.snapshot() == before, "{:?} was refused and changed something", verb);
            check(&records);
        }
    }
}
