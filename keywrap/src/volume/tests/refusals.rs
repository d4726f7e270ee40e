use super::*;
use crate::geometry::SectorSize;
use crate::luks2::json::{CryptSegment, DigestKind, KdfKind, KeyslotKind, Luks2Keyslot, Metadata, Pbkdf2Digest};
use crate::luks2::json::{SegmentKind, SegmentSize};
use crate::luks2::store::Store;
use crate::luks2::token::SearToken;

/// Changes the metadata without the master key, as an attacker would.
fn tamper(file: &File, change: impl FnOnce(&mut Metadata)) {
    let mut store = Store::open(file).unwrap();
    let mut metadata = store.header().metadata.clone();
    change(&mut metadata);
    store.commit(metadata).unwrap();
}

fn crypt(metadata: &mut Metadata) -> &mut CryptSegment {
    match &mut metadata.segments.get_mut(&0).unwrap().kind {
        SegmentKind::Crypt(crypt) => crypt,
        other => panic!("{other:?}"),
    }
}

fn digest(metadata: &mut Metadata) -> &mut Pbkdf2Digest {
    match &mut metadata.digests.get_mut(&0).unwrap().kind {
        DigestKind::Pbkdf2(digest) => digest,
        other => panic!("{other:?}"),
    }
}

fn luks2(metadata: &mut Metadata) -> &mut Luks2Keyslot {
    match &mut metadata.keyslots.get_mut(&0).unwrap().kind {
        KeyslotKind::Luks2(luks2) => luks2,
        other => panic!("{other:?}"),
    }
}

fn token(metadata: &mut Metadata, change: impl FnOnce(&mut SearToken)) {
    let (_, token) = SearToken::all(metadata).next().unwrap();
    let mut token = token.unwrap();
    change(&mut token);
    metadata.tokens.insert(0, token.to_token());
}

#[test]
fn a_tampered_header_is_refused_by_the_one_field_that_disagrees() {
    type Change = fn(&mut Metadata);
    let changes: [(&str, Change); 17] = [
        ("config.flags.allow-discards", |it| it.config.set_allow_discards(true)),
        ("segment.offset", |it| it.segments.get_mut(&0).unwrap().offset += 4096),
        ("segment.size", |it| it.segments.get_mut(&0).unwrap().size = SegmentSize::Fixed(1 << 20)),
        ("segment.iv_tweak", |it| crypt(it).iv_tweak = 8),
        ("segment.sector_size", |it| crypt(it).sector_size = SectorSize::B512),
        ("digest.hash", |it| digest(it).hash = "sha512".to_owned()),
        ("digest.iterations", |it| digest(it).iterations += 1),
        ("digest.salt", |it| digest(it).salt[0] ^= 1),
        ("digest.digest", |it| digest(it).digest[0] ^= 1),
        ("keyslot.area.offset", |it| it.keyslots.get_mut(&0).unwrap().area.offset += 4096),
        ("keyslot.area.size", |it| it.keyslots.get_mut(&0).unwrap().area.size += 4096),
        ("keyslot.area.key_size", |it| luks2(it).area_key_size = 32),
        ("keyslot.af.hash", |it| luks2(it).af.hash = "sha512".to_owned()),
        ("keyslot.kdf is", |it| luks2(it).kdf.kind = KdfKind::Pbkdf2 { hash: "sha256".to_owned(), iterations: 1001 }),
        ("keyslot.kdf.salt", |it| luks2(it).kdf.salt[0] ^= 1),
        ("token's own mac", |it| token(it, |token| token.mac.whole[0] ^= 1)),
        ("token's own mac", |it| token(it, |token| token.mac.whole = [0; 32])),
    ];
    for (field, change) in changes {
        let (file, _) = volume();
        tamper(&file, change);
        let refused = error(unlock_with_master(&file, DEVICE, id(1), &master(1)));
        assert_eq!(refused.kind(), ErrorKind::Tampered, "{field}");
        assert!(refused.to_string().contains(&format!(" {field}")), "{field}: {refused}");
        assert!(!refused.to_string().contains(", "), "more than one field is named: {refused}");
    }
}

#[test]
fn a_damaged_area_is_told_from_a_wrong_key() {
    let (file, _) = volume();
    let area = inspect(&file).unwrap().keyslots[0].area_offset;
    file.write_all_at(&[0; 512], area).unwrap();
    let damaged = error(unlock_with_master(&file, DEVICE, id(1), &master(1)));
    assert!(matches!(damaged, VolumeError::KeyslotDamaged(0)), "{damaged}");
    let wrong = error(unlock_with_master(&file, DEVICE, id(1), &master(2)));
    assert!(matches!(wrong, VolumeError::WrongMasterKey(_)), "{wrong}");
}

#[test]
fn a_wrong_key_and_a_wrong_passphrase_say_so() {
    let (file, _) = volume();
    let wrong = error(unlock_with_master(&file, DEVICE, id(1), &master(2)));
    assert_eq!((wrong.kind(), matches!(wrong, VolumeError::WrongMasterKey(_))), (ErrorKind::WrongKey, true));
    let unknown = error(unlock_with_master(&file, DEVICE, id(2), &master(2)));
    assert!(unknown.to_string().contains(&id(1).to_string()), "{unknown}");
    assert_eq!(unknown.kind(), ErrorKind::WrongKey);
    let wrong = error(unlock_with_passphrase(&file, DEVICE, &passphrase("guess")));
    assert_eq!(wrong.kind(), ErrorKind::WrongKey);
}

#[test]
fn keyslots_that_cannot_be_tried_are_named() {
    let (file, _) = volume();
    tamper(&file, |metadata| {
        if let KeyslotKind::Luks2(luks2) = &mut metadata.keyslots.get_mut(&0).unwrap().kind {
            luks2.kdf.kind = KdfKind::Pbkdf2 { hash: "whirlpool".to_owned(), iterations: 1000 };
        }
    });
    let refused = error(unlock_with_passphrase(&file, DEVICE, &passphrase("guess")));
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert!(refused.to_string().contains("keyslot 0") && refused.to_string().contains("whirlpool"), "{refused}");
}

#[test]
fn costs_outside_the_limits_leave_the_volume_as_it_was() {
    let (file, created) = volume();
    let before = contents(&file, 1 << 20);
    for kdf in [
        KdfChoice::Pbkdf2 { iterations: 0 },
        KdfChoice::Argon2id { time: 1, memory_kib: 5 << 20, cpus: 1 },
        KdfChoice::Argon2id { time: 1, memory_kib: 1 << 10, cpus: 5 },
    ] {
        let refused = error(add_passphrase(&file, &created.volume_key, &passphrase("x"), kdf));
        assert!(matches!(refused, VolumeError::Keyslot(KeyslotProblem::Crypto(1, _))), "{refused}");
    }
    assert!(before == contents(&file, 1 << 20), "nothing was written");
}

#[test]
fn creating_over_a_volume_is_refused_unless_asked_for() {
    let (file, first) = volume();
    let again = error(create(&file, DEVICE, &CreateOptions::default(), id(2), &master(2)));
    assert!(matches!(again, VolumeError::AlreadyAVolume), "{again}");
    assert!(same_key(&first, &unlock_with_master(&file, DEVICE, id(1), &master(1)).unwrap()));
    let options = CreateOptions { overwrite: true, ..Default::default() };
    create(&file, DEVICE, &options, id(2), &master(2)).unwrap();
    assert!(unlock_with_master(&file, DEVICE, id(1), &master(1)).is_err());
}

#[test]
fn sizes_that_do_not_fit_are_refused_before_anything_is_written() {
    let options = |change: fn(&mut CreateOptions)| {
        let mut options = CreateOptions::default();
        change(&mut options);
        options
    };
    let header_only = DEFAULT_DATA_OFFSET;
    for (len, options) in [
        (header_only, options(|_| ())),
        (header_only + 2048, options(|_| ())),
        (DEVICE + 512, options(|_| ())),
        (DEVICE, options(|options| options.data_offset = 512)),
        (DEVICE, options(|options| options.data_offset = 65536)),
        (DEVICE, options(|options| options.header_size = 12345)),
        (DEVICE, options(|options| options.label = Some("x".repeat(48)))),
        (100_000, options(|options| options.data_offset = 0)),
    ] {
        let file = file(len);
        assert!(create(&file, len, &options, id(1), &master(1)).is_err(), "{len} {options:?}");
        assert!(contents(&file, usize::try_from(len).unwrap()).iter().all(|&byte| byte == 0), "{len} {options:?}");
    }
}

#[test]
fn an_empty_file_is_not_a_volume() {
    let file = file(0);
    for refused in [
        error(inspect(&file)),
        error(erase(&file)),
        error(key_ids(&file)),
        error(unlock_with_master(&file, 0, id(1), &master(1))),
    ] {
        assert_eq!(refused.kind(), ErrorKind::NotAVolume, "{refused}");
    }
}
