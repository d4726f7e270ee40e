//! PyKMIP as it comes: no custom attributes, no AddAttribute.

use ekm_bridge::kmip::enums::State;
use ekm_bridge::kmip::master_keys::{Change, CustomAttribute};
use ekm_bridge::kmip::{MasterKeys, ProtocolVersion};

use super::rig::{Start, client, new_name};

use ProtocolVersion as V;

#[test]
fn a_server_without_custom_attributes_works_by_name_in_every_version() {
    let Some(server) = Start::stock().or_skip() else { return };
    for version in [V::V1_0, V::V1_1, V::V1_2, V::V1_3, V::V1_4, V::V2_0] {
        let mut keys = MasterKeys::new(client(&server, Some(version)));
        let name = new_name();
        let made = keys.create(&name).unwrap_or_else(|error| panic!("{version}: {error}"));
        assert!(matches!(made.custom, CustomAttribute::Refused(_)), "{version}");
        println!("{version}: {:?}", made.custom);
        assert!(keys.create(&name).unwrap().was_there, "{version}");
        let (found, _) = keys.key(&name).unwrap();
        assert_eq!((&found.id, found.state), (&made.id, Some(State::ACTIVE)), "{version}");
        assert_eq!((keys.revoke(&found.id).unwrap(), keys.destroy(&found.id).unwrap()), (Change::Done, Change::Done));
        assert_eq!(keys.find(&name).unwrap(), None, "{version}");
    }
}
