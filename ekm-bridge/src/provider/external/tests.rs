use keywrap::keys::KeyId;

use super::model::{Fault, ModelServer, StoreFault, World, bytes};
use super::*;
use crate::alarm::{AlarmCode, Severity};
use crate::provider::ErrorKind::{Absent, NotAuthenticated, Refused, Unreachable};

fn world(count: i64) -> World {
    World::new(count, Settings::default())
}

/// Whether every server has done it.
fn is_ended(answers: Result<Vec<crate::provider::EndAnswer>, ProviderError>) -> bool {
    answers.unwrap().iter().all(crate::provider::EndAnswer::is_settled)
}

fn kind<T>(result: Result<T, ProviderError>) -> crate::provider::ErrorKind {
    result.err().expect("it must fail").kind
}

/// A provider without anything in memory over the same servers.
fn fresh(world: &World) -> ExternalProvider {
    world.another(Settings::default())
}

#[test]
fn a_new_key_is_on_every_server_and_reads_back() {
    let world = world(3);
    let id = world.provider.create_key().unwrap();
    let key = bytes(&world.provider.key(id).unwrap());
    for server in &world.servers {
        assert_eq!(server.alive(), [(id, key)].into());
    }
    assert_eq!(world.provider.list().unwrap().iter().map(|info| info.id).collect::<Vec<_>>(), [id]);
    assert_eq!(world.store.keys("intent/"), Vec::<String>::new());
}

#[test]
fn reads_go_down_the_list_and_silent_servers_are_asked_last() {
    let world = world(3);
    let id = world.provider.create_key().unwrap();
    let reader = fresh(&world);
    world.servers.iter().for_each(|server| drop(server.requests()));
    world.servers[0].set_down(Unreachable);
    reader.key(id).unwrap();
    let asked = |world: &World| world.servers.iter().map(|server| server.requests().len()).collect::<Vec<_>>();
    assert_eq!(asked(&world), [1, 1, 0]);
    reader.cache().forget(id);
    reader.key(id).unwrap();
    assert_eq!(asked(&world), [0, 1, 0], "the silent one is not waited for again");
    reader.cache().forget(id);
    world.servers[1].set_down(Unreachable);
    world.servers[2].set_down(Unreachable);
    world.servers[0].set_down(None);
    reader.key(id).unwrap();
    assert_eq!(asked(&world), [1, 1, 1], "but before giving up");
}

#[test]
fn a_key_is_absent_only_if_every_server_says_so() {
    let world = world(2);
    let id = KeyId::random();
    assert_eq!(kind(world.provider.key(id)), Absent);
    for down in [Unreachable, NotAuthenticated, Refused] {
        world.servers[1].set_down(down);
        let error = world.provider.key(id).err().unwrap();
        assert_eq!(error.kind, down);
        assert!(error.message.contains("s1 (ID 1)") && error.message.contains("s2 (ID 2)"), "{error}");
    }
    assert_eq!(kind(self::world(0).provider.key(id)), Unreachable, "no server, no answer");
}

#[test]
fn a_lost_reply_to_create_makes_no_second_key() {
    for fault in [Fault::LostReply, Fault::LostRequest] {
        let world = world(2);
        world.servers[0].fault(&[fault]);
        let id = world.provider.create_key().unwrap();
        assert_eq!(world.servers[0].alive().into_keys().collect::<Vec<_>>(), [id]);
        let requests = world.servers[0].requests();
        let creates = requests.iter().filter(|request| **request == "create").count();
        assert_eq!(creates, if fault == Fault::LostReply { 1 } else { 2 }, "{requests:?}");
        assert_eq!(requests[1], "find", "it is looked for before anything else");
    }
}

#[test]
fn a_lost_reply_to_a_copy_is_looked_up_too() {
    let world = world(2);
    // key (absent), then register.
    world.servers[1].fault(&[Fault::Fine, Fault::LostReply]);
    let id = world.provider.create_key().unwrap();
    assert_eq!(world.servers[1].alive().into_keys().collect::<Vec<_>>(), [id]);
    let requests = world.servers[1].requests();
    assert_eq!(requests.iter().filter(|request| **request == "register").count(), 1, "{requests:?}");
}

#[test]
fn another_server_gets_another_id_and_what_the_first_made_is_cleared_away_later() {
    let world = world(3);
    // It makes the key, the reply is lost, and it falls silent.
    world.servers[0].fault(&[Fault::LostReply, Fault::LostRequest]);
    let id = world.provider.create_key().unwrap();
    assert_eq!(world.servers[0].alive().len(), 2, "the lost one and the copy");
    assert_eq!(world.store.keys("intent/").len(), 1);
    world.clock.advance(599);
    assert_eq!(world.provider.tend().cleared, [], "it might still be in the making");
    world.clock.advance(60);
    assert_eq!(world.provider.tend().cleared.len(), 1);
    assert_eq!(world.servers[0].alive().into_keys().collect::<Vec<_>>(), [id]);
    assert_eq!(world.store.keys("intent/").len(), 0);
}

#[test]
fn a_key_on_too_few_servers_is_not_used() {
    let world = world(2);
    world.servers[1].set_down(Unreachable);
    let error = world.provider.create_key().err().unwrap();
    assert_eq!(error.kind, Unreachable);
    assert!(error.message.contains("1 of 2"), "{error}");
    assert_eq!(world.provider.list().unwrap(), []);
    world.settle();
    assert!(world.servers.iter().all(|server| server.alive().is_empty()), "and cleared away");
}

#[test]
fn a_server_that_answers_and_takes_no_copy_stops_a_key_however_many_others_have_it() {
    let world = world(3);
    // key (absent), then register.
    world.servers[2].fault(&[Fault::Fine, Fault::Refused]);
    let error = world.provider.create_key().err().unwrap();
    assert_eq!(error.kind, Refused);
    assert!(error.message.contains("2 of 3"), "{error}");
    assert_eq!(world.provider.list().unwrap(), []);
}

#[test]
fn with_one_copy_allowed_the_others_follow_when_they_are_back() {
    let world = World::new(2, Settings { copies: 1, ..Settings::default() });
    world.servers[1].set_down(Unreachable);
    let id = world.provider.create_key().unwrap();
    assert!(world.servers[1].alive().is_empty());
    let alarms = world.provider.alarms();
    assert_eq!(
        alarms.iter().map(|alarm| (alarm.code, alarm.severity)).collect::<Vec<_>>(),
        [(AlarmCode::KmipServerFault, Severity::Error)]
    );
    world.servers[1].set_down(None);
    world.clock.advance(300);
    assert_eq!(world.provider.tend().repaired, [(2, id)]);
    assert_eq!(world.servers[1].alive(), world.servers[0].alive());
    assert_eq!(world.provider.alarms(), []);
}

#[test]
fn wrong_bytes_are_noticed_and_another_server_asked() {
    let world = world(2);
    let id = world.provider.create_key().unwrap();
    let right = bytes(&world.provider.key(id).unwrap());
    world.servers[0].put(id, 0xbb);
    let reader = fresh(&world);
    assert_eq!(bytes(&reader.key(id).unwrap()), right);
    let alarms = reader.alarms();
    assert!(alarms[0].details.contains("other bytes") && alarms[0].about == "key server 1", "{alarms:?}");
    world.servers[1].set_down(Refused);
    reader.cache().forget(id);
    assert_eq!(kind(reader.key(id)), Refused, "never the wrong key");
}

#[test]
fn a_reading_that_was_garbled_while_a_key_was_made_is_not_believed() {
    // On the maker: create, find, activate, find, key, key. On the other: key (absent), register, find, key.
    for (server, position) in [(0, 4), (0, 5), (1, 3)] {
        let world = world(2);
        world.servers[server].fault(&vec![Fault::Fine; position]);
        world.servers[server].fault(&[Fault::WrongBytes]);
        let made = world.provider.create_key();
        assert_eq!(made.is_ok(), server == 0, "the other server may make one in its place");
        let made: Vec<KeyId> = made.into_iter().collect();
        world.settle();
        for server in &world.servers {
            assert_eq!(server.alive().into_keys().collect::<Vec<_>>(), made);
        }
    }
}

#[test]
fn a_server_that_joins_is_synchronised_both_ways() {
    let world = world(2);
    let ours = world.provider.create_key().unwrap();
    let (server, theirs) = (ModelServer::new(5), KeyId::random());
    server.put(theirs, 0x77);
    let report = world.provider.add_server(Box::new(server.clone())).unwrap();
    assert_eq!(report, SyncReport { keys: 2, copies: 3, missing: vec![] });
    for member in [&world.servers[0], &world.servers[1], &server] {
        assert_eq!(member.alive().into_keys().collect::<Vec<_>>(), [ours.min(theirs), ours.max(theirs)]);
    }
    assert_eq!(world.provider.list().unwrap().len(), 2);
    assert_eq!(world.provider.health().iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2, 5]);
    assert!(matches!(world.provider.add_server(Box::new(server)), Err(SyncError::Member(5))));
}

#[test]
fn keys_that_no_server_holds_any_more_come_from_memory_or_are_named() {
    let world = world(1);
    let id = world.provider.create_key().unwrap();
    let forgetful = fresh(&world);
    world.servers[0].state().keys.clear();
    let report = forgetful.add_server(Box::new(ModelServer::new(5))).unwrap();
    assert_eq!(report, SyncReport { keys: 0, copies: 0, missing: vec![id] });
    let report = world.provider.add_server(Box::new(ModelServer::new(7))).unwrap();
    assert_eq!(report, SyncReport { keys: 1, copies: 2, missing: vec![] });
    assert_eq!(world.servers[0].alive().into_keys().collect::<Vec<_>>(), [id]);
}

#[test]
fn a_conflict_is_named_and_changes_nothing() {
    let world = world(2);
    let (ours, other) = (world.provider.create_key().unwrap(), world.provider.create_key().unwrap());
    let server = ModelServer::new(5);
    server.put(ours, 0x99);
    server.put(KeyId::random(), 0x55);
    let before = (world.servers[0].alive(), world.servers[1].alive(), server.alive());
    let error = world.provider.add_server(Box::new(server.clone())).unwrap_err();
    assert!(matches!(error, SyncError::Conflict { id, .. } if id == ours), "{error}");
    assert!(error.to_string().contains("s1 (ID 1)") && error.to_string().contains("s5 (ID 5)"), "{error}");
    assert_eq!((world.servers[0].alive(), world.servers[1].alive(), server.alive()), before);
    assert_eq!(world.provider.health().len(), 2);
    assert!(!server.alive().contains_key(&other));
}

#[test]
fn a_server_joins_only_when_all_answer() {
    let world = world(2);
    world.provider.create_key().unwrap();
    world.servers[1].set_down(Unreachable);
    let server = ModelServer::new(5);
    let error = world.provider.add_server(Box::new(server.clone())).unwrap_err();
    assert!(matches!(&error, SyncError::Provider(error) if error.kind == Unreachable), "{error}");
    assert_eq!((world.provider.health().len(), server.alive().len()), (2, 0));
}

#[test]
fn kept_keys_outlive_their_servers_and_others_are_locked_after_the_grace_period() {
    let grace = CachePolicy::LockAfter(Duration::from_secs(900));
    for (cache, is_locked) in [(CachePolicy::Keep, false), (grace, true)] {
        for silence in [Unreachable, NotAuthenticated] {
            let world = World::new(2, Settings { cache, ..Settings::default() });
            let id = world.provider.create_key().unwrap();
            world.servers.iter().for_each(|server| server.set_down(silence));
            world.clock.advance(900);
            assert!(!world.provider.tend().locked);
            assert!(world.provider.key(id).is_ok());
            world.clock.advance(1);
            assert_eq!(world.provider.tend().locked, is_locked);
            assert_eq!(world.provider.key(id).is_ok(), !is_locked);
            world.servers[1].set_down(None);
            assert!(world.provider.key(id).is_ok(), "and they come back with the first server");
        }
    }
}

#[test]
fn a_server_that_answers_keeps_keys_in_memory_for_ever() {
    let cache = CachePolicy::LockAfter(Duration::from_secs(900));
    let world = World::new(2, Settings { cache, ..Settings::default() });
    let id = world.provider.create_key().unwrap();
    world.servers[0].set_down(Unreachable);
    for _ in 0..100 {
        world.clock.advance(120);
        assert!(!world.provider.tend().locked);
    }
    world.servers.iter().for_each(|server| drop(server.requests()));
    world.provider.key(id).unwrap();
    assert!(world.servers.iter().all(|server| server.requests().is_empty()), "from memory");
}

#[test]
fn health_checks_wait_longer_after_every_failure() {
    let world = world(1);
    world.servers[0].set_down(Unreachable);
    let mut checked = Vec::new();
    for second in 0..200 {
        world.servers[0].requests();
        world.provider.tend();
        if world.servers[0].requests().contains(&"test") {
            checked.push(second);
        }
        world.clock.advance(1);
    }
    assert_eq!(checked, [0, 2, 6, 14, 30, 62, 126]);
    let (_, health) = world.provider.health().remove(0);
    assert_eq!((health.failures, health.failure.unwrap().kind), (7, Unreachable));
    assert_eq!(world.provider.alarms()[0].severity, Severity::Critical, "no server is left");
}

#[test]
fn destruction_is_done_when_every_server_has_done_it() {
    let world = world(2);
    let (id, other) = (world.provider.create_key().unwrap(), world.provider.create_key().unwrap());
    world.servers[1].set_down(Unreachable);
    assert!(!is_ended(world.provider.destroy(id)));
    assert!(world.provider.list().unwrap().iter().any(|info| info.id == id), "it is not forgotten");
    world.servers[1].set_down(None);
    world.clock.advance(300);
    world.provider.tend();
    assert!(!world.servers[0].alive().contains_key(&id), "nobody brings it back");
    assert!(is_ended(world.provider.destroy(id)) && is_ended(world.provider.destroy(id)));
    assert_eq!(kind(world.provider.key(id)), Absent);
    for server in &world.servers {
        assert_eq!(server.alive().into_keys().collect::<Vec<_>>(), [other]);
    }
}

#[test]
fn a_key_that_is_being_destroyed_is_brought_back_by_nobody() {
    let world = world(2);
    let (id, other) = (world.provider.create_key().unwrap(), world.provider.create_key().unwrap());
    // Revoked on both, destroyed on the first, which forgets it; the second refuses.
    world.servers[1].fault(&[Fault::Fine, Fault::Refused]);
    assert!(!is_ended(world.provider.destroy(id)));
    let after_restart = fresh(&world);
    world.clock.advance(300);
    assert_eq!(after_restart.tend().repaired, []);
    let joining = ModelServer::new(5);
    after_restart.add_server(Box::new(joining.clone())).unwrap();
    for server in [&world.servers[0], &joining] {
        assert_eq!(server.alive().into_keys().collect::<Vec<_>>(), [other]);
    }
}

#[test]
fn the_current_key_is_made_once_moves_by_a_rekey_and_cannot_be_destroyed() {
    let world = world(2);
    let (first, _) = world.provider.current_key().unwrap();
    assert_eq!(fresh(&world).current_key().unwrap().0, first);
    assert_eq!(kind(world.provider.destroy(first)), Refused);
    assert_eq!(kind(world.provider.revoke(first)), Refused);
    let second = world.provider.create_key().unwrap();
    assert_eq!(world.provider.current_key().unwrap().0, first);
    world.provider.set_current(second).unwrap();
    assert_eq!(world.provider.current_key().unwrap().0, second);
    assert_eq!(kind(world.provider.set_current(KeyId::random())), Absent);
    assert!(is_ended(world.provider.destroy(first)));
}

#[test]
fn threads_that_ask_for_the_first_key_together_get_the_same_one() {
    let world = world(2);
    let ids: Vec<KeyId> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| world.provider.current_key().unwrap().0)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(world.servers[0].alive().len(), 1);
}

#[test]
fn a_key_whose_clearing_began_cannot_become_known() {
    let world = world(1);
    let records = Records::new(Box::new(world.store.clone()), 9);
    let held = records.intend(KeyId::random(), world.clock.wall(), None).unwrap();
    world.clock.advance(10_000);
    world.provider.tend();
    let key = MasterKey(keywrap::secret::Secret::copy_from(&[1; 32]).unwrap());
    assert!(records.adopt(&held, &key, false).is_err());
    assert_eq!(world.provider.list().unwrap(), []);
}

#[test]
fn a_failing_store_leaves_no_key_behind() {
    for fault in [StoreFault::FailsBefore, StoreFault::FailsAfter] {
        for commits_before in 0..2 {
            let world = world(2);
            world.store.fault(&vec![StoreFault::Fine; commits_before]);
            world.store.fault(&[fault]);
            let made = world.provider.create_key();
            world.settle();
            let known: Vec<KeyId> = world.provider.list().unwrap().iter().map(|info| info.id).collect();
            assert_eq!(made.ok().into_iter().collect::<Vec<_>>(), known, "{fault:?} at commit {commits_before}");
            for server in &world.servers {
                assert_eq!(server.alive().into_keys().collect::<Vec<_>>(), known);
            }
        }
    }
}

#[test]
fn a_test_names_every_server_that_does_not_work() {
    let world = world(3);
    world.provider.test().unwrap();
    world.servers[1].set_down(NotAuthenticated);
    let error = world.provider.test().unwrap_err();
    assert_eq!(error.kind, NotAuthenticated);
    assert!(error.message.contains("s2") && !error.message.contains("s1"), "{error}");
    world.provider.remove_server(2);
    world.provider.test().unwrap();
}

#[test]
fn a_copy_that_was_brought_and_not_made_active_is_made_so_when_the_server_joins_at_last() {
    let world = world(1);
    let (id, key) = world.provider.current_key().unwrap();
    let joining = ModelServer::new(6);
    // What a process that ended between the two requests leaves.
    joining.state().keys.insert(id, (KeyState::PreActive, bytes(&key)));
    world.provider.add_server(Box::new(joining.clone())).unwrap();
    assert_eq!(joining.find(id).unwrap(), Some(KeyState::Active));
}

#[test]
fn an_answer_that_comes_in_between_two_looks_is_not_taken_for_silence() {
    let world = world(1);
    let (id, _) = world.provider.current_key().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..2000).for_each(|_| drop(fresh(&world).key(id).unwrap())));
        }
    });
}
