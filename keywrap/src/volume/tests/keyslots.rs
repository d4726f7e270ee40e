use super::*;
use crate::luks2::json::Token;
use crate::luks2::store::Store;

#[test]
fn passphrases_and_master_keys_open_the_same_volume() {
    let (file, created) = volume();
    add_passphrase(&file, &created.volume_key, &passphrase("swordfish"), CHEAP).unwrap();
    add_master_keyslot(&file, &created.volume_key, id(2), &master(2)).unwrap();
    assert_eq!(key_ids(&file).unwrap(), [id(1), id(2)]);
    for opened in [
        unlock_with_passphrase(&file, DEVICE, &passphrase("swordfish")).unwrap(),
        unlock_with_master(&file, DEVICE, id(1), &master(1)).unwrap(),
        unlock_with_master(&file, DEVICE, id(2), &master(2)).unwrap(),
    ] {
        assert!(same_key(&created, &opened));
    }
}

#[test]
fn a_removed_keyslot_opens_nothing_and_its_area_is_overwritten() {
    let (file, created) = volume();
    let slot = add_passphrase(&file, &created.volume_key, &passphrase("swordfish"), CHEAP).unwrap();
    let info = inspect(&file).unwrap().keyslots.into_iter().find(|info| info.id == slot).unwrap();
    let area = || {
        let mut bytes = vec![0; usize::try_from(info.area_size).unwrap()];
        file.read_exact_at(&mut bytes, info.area_offset).unwrap();
        bytes
    };
    let before = area();
    remove_keyslot(&file, slot).unwrap();
    let equal = before.iter().zip(area()).filter(|(a, b)| **a == *b).count();
    assert!(equal < before.len() / 100, "{equal} of {} bytes stayed; about 1 in 256 may by chance", before.len());
    let wrong = error(unlock_with_passphrase(&file, DEVICE, &passphrase("swordfish")));
    assert!(matches!(wrong, VolumeError::WrongPassphrase { tried: 1, .. }), "{wrong}");
}

#[test]
fn the_last_keyslot_stays() {
    let (file, created) = volume();
    assert!(matches!(error(remove_keyslot(&file, created.keyslot)), VolumeError::LastKeyslot(0)));
    assert!(matches!(error(remove_keyslot(&file, 7)), VolumeError::NoSuchKeyslot(7)));
    assert!(unlock_with_master(&file, DEVICE, id(1), &master(1)).is_ok());
}

#[test]
fn removing_a_master_keyslot_takes_its_token_along() {
    let (file, created) = volume();
    add_passphrase(&file, &created.volume_key, &passphrase("swordfish"), CHEAP).unwrap();
    remove_keyslot(&file, created.keyslot).unwrap();
    assert_eq!(key_ids(&file).unwrap(), []);
    let gone = error(unlock_with_master(&file, DEVICE, id(1), &master(1)));
    assert!(matches!(gone, VolumeError::NoSuchMasterKey { .. }), "{gone}");
}

#[test]
fn a_replaced_passphrase_no_longer_opens() {
    let (file, created) = volume();
    add_passphrase(&file, &created.volume_key, &passphrase("old"), CHEAP).unwrap();
    replace_passphrase(&file, DEVICE, &passphrase("old"), &passphrase("new"), CHEAP).unwrap();
    assert!(unlock_with_passphrase(&file, DEVICE, &passphrase("old")).is_err());
    assert!(same_key(&created, &unlock_with_passphrase(&file, DEVICE, &passphrase("new")).unwrap()));
    assert!(unlock_with_master(&file, DEVICE, id(1), &master(1)).is_ok());
}

#[test]
fn rewrapping_changes_the_master_key_and_not_the_data_key() {
    let (file, created) = volume();
    let move_on = || rewrap(&file, DEVICE, (id(1), &master(1)), (id(2), &master(2)));
    assert!(same_key(&created, &move_on().unwrap()));
    assert_eq!(key_ids(&file).unwrap(), [id(2)]);
    assert!(unlock_with_master(&file, DEVICE, id(1), &master(1)).is_err());
    assert!(same_key(&created, &move_on().unwrap()), "doing it again finds it done");
    assert_eq!(inspect(&file).unwrap().keyslots.len(), 1);
}

#[test]
fn a_rewrap_that_was_cut_after_adding_is_finished_by_the_next() {
    let (file, created) = volume();
    add_master_keyslot(&file, &created.volume_key, id(2), &master(2)).unwrap();
    rewrap(&file, DEVICE, (id(1), &master(1)), (id(2), &master(2))).unwrap();
    assert_eq!(key_ids(&file).unwrap(), [id(2)]);
}

#[test]
fn a_rewrap_that_was_cut_after_overwriting_is_finished_by_the_next() {
    let (file, created) = volume();
    add_master_keyslot(&file, &created.volume_key, id(2), &master(2)).unwrap();
    Store::open(&file).unwrap().wipe_area(created.keyslot).unwrap();
    let opened = rewrap(&file, DEVICE, (id(1), &master(1)), (id(2), &master(2))).unwrap();
    assert!(same_key(&created, &opened));
    assert_eq!(key_ids(&file).unwrap(), [id(2)]);
}

/// Removes keyslot 0 as cryptsetup does: the token stays behind, pointing at nothing.
fn kill_first_keyslot(file: &File) {
    let mut store = Store::open(file).unwrap();
    let mut metadata = store.header().metadata.clone();
    let token = metadata.tokens[&0].clone();
    metadata.remove_keyslot(0);
    metadata.tokens.insert(0, Token { keyslots: vec![], ..token });
    store.commit(metadata).unwrap();
}

#[test]
fn a_token_whose_keyslot_another_program_removed_is_in_nobodys_way() {
    let (file, created) = volume();
    add_passphrase(&file, &created.volume_key, &passphrase("swordfish"), CHEAP).unwrap();
    kill_first_keyslot(&file);
    let gone = error(unlock_with_master(&file, DEVICE, id(1), &master(1)));
    assert!(matches!(gone, VolumeError::NoSuchMasterKey { .. }), "{gone}");
    assert_eq!(key_ids(&file).unwrap(), []);
    assert!(inspect(&file).unwrap().tokens[0].problem.as_ref().unwrap().contains("removed"));

    assert!(same_key(&created, &adopt(&file, DEVICE, &passphrase("swordfish"), id(1), &master(1)).unwrap()));
    assert_eq!(inspect(&file).unwrap().tokens.len(), 1, "the orphan is gone");
}

#[test]
fn a_token_that_cannot_be_read_does_not_keep_a_good_one_from_opening() {
    let (file, created) = volume();
    add_master_keyslot(&file, &created.volume_key, id(2), &master(2)).unwrap();
    let mut store = Store::open(&file).unwrap();
    let mut metadata = store.header().metadata.clone();
    metadata.tokens.get_mut(&0).unwrap().rest.put_u32("sear_version", 99);
    store.commit(metadata).unwrap();
    assert!(same_key(&created, &unlock_with_master(&file, DEVICE, id(2), &master(2)).unwrap()));
    let newer = error(unlock_with_master(&file, DEVICE, id(1), &master(1)));
    assert!(newer.to_string().contains("version 99 is newer"), "{newer}");
    assert!(key_ids(&file).is_err(), "nobody may conclude that the other master key is no longer needed");
}

#[test]
fn rewrapping_under_a_wrong_new_key_keeps_the_old_one() {
    let (file, created) = volume();
    add_master_keyslot(&file, &created.volume_key, id(2), &master(2)).unwrap();
    let wrong = error(rewrap(&file, DEVICE, (id(1), &master(1)), (id(2), &master(3))));
    assert!(matches!(wrong, VolumeError::WrongMasterKey(_)), "{wrong}");
    assert!(unlock_with_master(&file, DEVICE, id(1), &master(1)).is_ok());
}

#[test]
fn an_adopted_volume_keeps_its_passphrase() {
    // A volume with a passphrase alone, as another program would have made it.
    let (file, created) = volume();
    add_passphrase(&file, &created.volume_key, &passphrase("swordfish"), CHEAP).unwrap();
    remove_keyslot(&file, created.keyslot).unwrap();

    let adopted = adopt(&file, DEVICE, &passphrase("swordfish"), id(9), &master(9)).unwrap();
    assert!(same_key(&created, &adopted));
    assert!(same_key(&created, &unlock_with_passphrase(&file, DEVICE, &passphrase("swordfish")).unwrap()));
    let again = error(adopt(&file, DEVICE, &passphrase("swordfish"), id(9), &master(9)));
    assert!(matches!(again, VolumeError::KeyIdInUse(_)), "{again}");
}

#[test]
fn all_keyslots_fill_up_and_the_next_is_refused() {
    let (file, created) = volume();
    let add = || add_passphrase(&file, &created.volume_key, &passphrase("x"), CHEAP);
    for expected in 1..32 {
        assert_eq!(add().unwrap(), expected);
    }
    assert!(matches!(error(add()), VolumeError::Full("keyslots")));
}

#[test]
fn the_wrong_volume_key_is_never_sealed() {
    let ((file, _), (_, other)) = (volume(), volume());
    let before = contents(&file, 1 << 20);
    for result in [
        add_passphrase(&file, &other.volume_key, &passphrase("x"), CHEAP),
        add_master_keyslot(&file, &other.volume_key, id(2), &master(2)),
    ] {
        assert!(matches!(error(result), VolumeError::WrongVolumeKey));
    }
    assert!(before == contents(&file, 1 << 20), "nothing was written");
}

#[test]
fn a_data_key_at_hand_takes_the_place_of_a_lost_master_key() {
    let (file, created) = volume();
    let save = || rewrap_open(&file, DEVICE, &created.volume_key, (id(1), None), (id(2), &master(2)));
    save().unwrap();
    assert_eq!(key_ids(&file).unwrap(), [id(2)]);
    assert!(same_key(&created, &unlock_with_master(&file, DEVICE, id(2), &master(2)).unwrap()));
    save().unwrap();
    assert_eq!(inspect(&file).unwrap().keyslots.len(), 1);

    let (other, _) = volume();
    let wrong = error(rewrap_open(&other, DEVICE, &created.volume_key, (id(1), None), (id(2), &master(2))));
    assert!(matches!(wrong, VolumeError::WrongVolumeKey), "{wrong}");
    assert_eq!(key_ids(&other).unwrap(), [id(1)]);
}

#[test]
fn a_data_key_at_hand_does_not_stand_for_a_token_that_somebody_changed() {
    let (file, created) = volume();
    let changed = |key: &MasterKey| {
        let from = (id(1), Some(key));
        rewrap_open(&file, DEVICE, &created.volume_key, from, (id(2), &master(2)))
    };
    assert!(changed(&master(7)).is_err(), "the token of key 1 was made by another key");
    assert_eq!(key_ids(&file).unwrap(), [id(1), id(2)], "the new key opens it, and nothing was removed");
    changed(&master(1)).unwrap();
    assert_eq!(key_ids(&file).unwrap(), [id(2)]);
}
