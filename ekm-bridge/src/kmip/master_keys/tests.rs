//! The verbs against a fake with the quirks of real servers.

use keywrap::keys::{KeyId, MasterKey};
use keywrap::secret::Secret;
use uuid::Uuid;

use super::*;
use crate::kmip::enums::{ResultReason, State};
use crate::kmip::fake::Fake;
use crate::kmip::version::ProtocolVersion;

fn name() -> KeyName {
    KeyName { cluster: Uuid::from_u128(1), key: KeyId(Uuid::from_u128(2)) }
}

fn keys(fake: Fake) -> MasterKeys<Fake> {
    MasterKeys::new(Client::new(fake))
}

fn fake<E>(keys: &mut MasterKeys<E>) -> &mut E
where
    E: Exchange,
{
    keys.client().exchange_mut()
}

#[test]
fn a_key_is_made_active_found_and_read_in_every_version() {
    for version in ProtocolVersion::KNOWN {
        let mut keys = keys(Fake::speaking(&[version]));
        let made = keys.create(&name()).unwrap();
        assert_eq!((made.was_there, &made.custom), (false, &CustomAttribute::Present), "{version}");
        let (found, key) = keys.key(&name()).unwrap();
        assert_eq!((&found.id, found.state), (&made.id, Some(State::ACTIVE)));
        assert_eq!(key.0.expose_secret(), &[7; 32]);
    }
}

#[test]
fn making_a_key_twice_makes_it_once() {
    let mut keys = keys(Fake::default());
    let first = keys.create(&name()).unwrap();
    let second = keys.create(&name()).unwrap();
    assert_eq!((first.id, true), (second.id, second.was_there));
    assert_eq!(fake(&mut keys).objects.len(), 1);
}

#[test]
fn a_lost_reply_orphans_no_key() {
    let mut keys = keys(Fake { lose_reply: Some(Operation::CREATE), ..Fake::default() });
    let made = keys.create(&name()).unwrap();
    assert_eq!((made.id.0.as_str(), fake(&mut keys).objects.len()), ("id-0", 1));
    assert_eq!(fake(&mut keys).count(Operation::CREATE), 1);
}

#[test]
fn a_lost_request_is_made_again_after_a_search() {
    let mut keys = keys(Fake { lose_request: Some(Operation::CREATE), ..Fake::default() });
    keys.create(&name()).unwrap();
    let log: Vec<Operation> = fake(&mut keys).log.iter().map(|entry| entry.0).collect();
    let creates: Vec<usize> = (0..log.len()).filter(|place| log[*place] == Operation::CREATE).collect();
    assert_eq!(creates.len(), 2, "{log:?}");
    assert!(log[creates[0]..creates[1]].contains(&Operation::LOCATE), "{log:?}");
}

#[test]
fn a_server_without_custom_attributes_works_by_name_and_says_so() {
    let mut keys = keys(Fake { takes_custom: false, ..Fake::default() });
    let made = keys.create(&name()).unwrap();
    assert!(matches!(&made.custom, CustomAttribute::Refused(why) if why.contains("unsupported")), "{made:?}");
    assert_eq!(keys.key(&name()).unwrap().0.id, made.id);
    let again = keys.create(&name()).unwrap();
    assert!(again.was_there);
    assert_eq!(fake(&mut keys).count(Operation::ADD_ATTRIBUTE), 1, "it is not tried again");
}

#[test]
fn a_server_that_cannot_show_all_attributes_is_asked_for_the_needed_ones() {
    let mut keys = keys(Fake { wants_names: true, ..Fake::default() });
    let made = keys.create(&name()).unwrap();
    assert_eq!(made.custom, CustomAttribute::Present);
    assert_eq!(keys.key(&name()).unwrap().0.id, made.id);
}

#[test]
fn a_key_that_was_left_without_its_custom_attribute_gets_it() {
    let mut keys = keys(Fake { lose_request: Some(Operation::ADD_ATTRIBUTE), takes_custom: false, ..Fake::default() });
    assert_eq!(keys.create(&name()).unwrap_err().kind, ErrorKind::ReplyLost);
    fake(&mut keys).takes_custom = true;
    assert_eq!(keys.create(&name()).unwrap().custom, CustomAttribute::Present);
    assert_eq!(fake(&mut keys).objects.len(), 1);
}

#[test]
fn a_server_that_ignores_the_search_gives_out_no_foreign_key() {
    let mut keys = keys(Fake { ignores_custom_search: true, ..Fake::default() });
    let other = KeyName { key: KeyId(Uuid::from_u128(3)), ..name() };
    keys.create(&other).unwrap();
    assert_eq!(keys.find(&name()).unwrap(), None);
    let made = keys.create(&name()).unwrap();
    assert_eq!(keys.key(&name()).unwrap().0.id, made.id);
}

#[test]
fn two_keys_of_one_name_are_a_fault() {
    let mut keys = keys(Fake::default());
    keys.create(&name()).unwrap();
    let copy = crate::kmip::ops::Create { attributes: vec![name().name_attribute()] };
    keys.client().call(&copy).unwrap();
    let error = keys.key(&name()).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Ambiguous);
    assert!(error.message.contains("id-0, id-1"), "{error}");
    assert_eq!(keys.create(&name()).err().unwrap().kind, ErrorKind::Ambiguous);
}

#[test]
fn not_being_allowed_to_look_is_not_absence() {
    let mut keys = keys(Fake::default());
    keys.create(&name()).unwrap();
    let refusal = (ResultReason::PERMISSION_DENIED, "Could not locate object");
    fake(&mut keys).refuse = Some((Operation::GET_ATTRIBUTES, refusal));
    assert_eq!(keys.key(&name()).err().unwrap().kind, ErrorKind::Refused);
    fake(&mut keys).refuse = Some((Operation::LOCATE, (ResultReason::ITEM_NOT_FOUND, "")));
    assert_eq!(keys.key(&name()).err().unwrap().kind, ErrorKind::Absent);
}

#[test]
fn a_registered_key_comes_back_as_it_was() {
    let mut keys = keys(Fake::default());
    let bytes: Vec<u8> = (0..32).collect();
    let key = MasterKey(Secret::copy_from(&bytes).unwrap());
    keys.register(&name(), &key).unwrap();
    assert_eq!(keys.key(&name()).unwrap().1.0.expose_secret().as_slice(), bytes);
    assert!(keys.register(&name(), &key).unwrap().was_there);
    let other = keys.register(&name(), &MasterKey(Secret::random().unwrap()));
    assert_eq!(other.err().unwrap().kind, ErrorKind::Ambiguous);
}

#[test]
fn revoking_and_destroying_may_be_repeated() {
    for keeps_destroyed in [false, true] {
        let mut keys = keys(Fake { keeps_destroyed, ..Fake::default() });
        let id = keys.create(&name()).unwrap().id;
        assert_eq!(keys.destroy(&id).err().unwrap().kind, ErrorKind::Refused, "an active key is not destroyed");
        assert_eq!((keys.revoke(&id).unwrap(), keys.revoke(&id).unwrap()), (Change::Done, Change::WasSo));
        assert!(keys.key(&name()).is_ok(), "a revoked key can be read");
        assert_eq!((keys.destroy(&id).unwrap(), keys.destroy(&id).unwrap()), (Change::Done, Change::WasSo));
        assert_eq!(keys.revoke(&id).unwrap(), Change::WasSo);
        assert_eq!(keys.key(&name()).err().unwrap().kind, ErrorKind::Absent);
    }
}

#[test]
fn the_name_of_a_destroyed_key_is_not_given_to_a_new_one_but_a_copy_may_come_back() {
    let mut keys = keys(Fake { keeps_destroyed: true, ..Fake::default() });
    let id = keys.create(&name()).unwrap().id;
    let key = keys.get(&id).unwrap();
    keys.revoke(&id).unwrap();
    keys.destroy(&id).unwrap();
    let error = keys.create(&name()).unwrap_err();
    assert!(error.kind == ErrorKind::Refused && error.message.contains("destroyed"), "{error}");
    assert_ne!(keys.register(&name(), &key).unwrap().id, id);
    assert!(keys.key(&name()).is_ok(), "the live one is found beside the destroyed one");
}

#[test]
fn a_key_that_does_not_become_active_is_an_error() {
    let refusal = (ResultReason::PERMISSION_DENIED, "two people have to approve");
    let mut keys = keys(Fake { refuse: Some((Operation::ACTIVATE, refusal)), ..Fake::default() });
    let error = keys.create(&name()).unwrap_err();
    assert!(error.message.contains("two people"), "{error}");
    fake(&mut keys).refuse = None;
    assert!(keys.create(&name()).unwrap().was_there, "the next attempt takes the same key up");
}

#[test]
fn a_yes_to_activate_is_not_believed() {
    let mut keys = keys(Fake { ignores_activate: true, ..Fake::default() });
    let error = keys.create(&name()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("Pre-Active"), "{error}");
}

#[test]
fn what_is_no_key_of_ours_is_not_used_as_one() {
    let mut keys = keys(Fake::default());
    let id = keys.create(&name()).unwrap().id;
    fake(&mut keys).objects[0].key = vec![1; 16];
    let error = keys.get(&id).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Malformed);
    assert!(error.message.contains("16 bytes"), "{error}");
}
