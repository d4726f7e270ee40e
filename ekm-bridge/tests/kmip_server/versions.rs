//! Every version that the server speaks.

use ekm_bridge::kmip::enums::State;
use ekm_bridge::kmip::{KeyName, MasterKeys, ProtocolVersion};

use super::rig::{client, new_name, shared};

use ProtocolVersion as V;

#[test]
fn the_highest_version_is_agreed_on() {
    let Some(server) = shared() else { return };
    assert_eq!(client(server, None).version().unwrap(), V::V2_0);
}

#[test]
fn a_key_lives_and_dies_in_every_version() {
    let Some(server) = shared() else { return };
    for version in [V::V1_0, V::V1_1, V::V1_2, V::V1_3, V::V1_4, V::V2_0] {
        let mut keys = MasterKeys::new(client(server, Some(version)));
        let name = new_name();
        let made = keys.create(&name).unwrap_or_else(|error| panic!("{version}: {error}"));
        let (found, key) = keys.key(&name).unwrap();
        assert_eq!((&found.id, found.state), (&made.id, Some(State::ACTIVE)), "{version}");
        let copy = KeyName { key: new_name().key, ..name };
        let registered = keys.register(&copy, &key).unwrap();
        assert_eq!(keys.get(&registered.id).unwrap().0.expose_secret(), key.0.expose_secret(), "{version}");
        for id in [&made.id, &registered.id] {
            keys.revoke(id).unwrap();
            keys.destroy(id).unwrap();
        }
        assert_eq!(keys.find(&name).unwrap(), None, "{version}");
        println!("{version}: {:?}", made.custom);
    }
}

#[test]
fn a_key_made_in_one_version_is_found_in_every_other() {
    let Some(server) = shared() else { return };
    for made_in in [V::V1_0, V::V1_4, V::V2_0] {
        let name = new_name();
        let made = MasterKeys::new(client(server, Some(made_in))).create(&name).unwrap();
        for read_in in [V::V1_0, V::V1_2, V::V1_4, V::V2_0] {
            let mut keys = MasterKeys::new(client(server, Some(read_in)));
            let found = keys.key(&name).unwrap_or_else(|error| panic!("{made_in}, {read_in}: {error}"));
            assert_eq!(found.0.id, made.id, "{made_in}, {read_in}");
        }
    }
}
