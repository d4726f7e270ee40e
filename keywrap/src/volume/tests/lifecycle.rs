use super::*;
use crate::geometry::SectorSize;

#[test]
fn a_new_volume_opens_again_with_its_master_key() {
    for sector_size in SectorSize::ALL {
        let file = file(DEVICE);
        let options = CreateOptions { sector_size, label: Some("backup tank".to_owned()), ..Default::default() };
        let created = create(&file, DEVICE, &options, id(1), &master(1)).unwrap();
        let opened = unlock_with_master(&file, DEVICE, id(1), &master(1)).unwrap();
        assert!(same_key(&created, &opened));
        assert_eq!(opened.segment.offset, DEFAULT_DATA_OFFSET);
        assert_eq!(opened.segment.len.0, DEVICE - DEFAULT_DATA_OFFSET);
        assert_eq!(opened.segment.sector_size, sector_size);
        assert!(!opened.allow_discards);
        assert_eq!(inspect(&file).unwrap().label, "backup tank");
    }
}

#[test]
fn every_legal_header_size_makes_a_volume() {
    for header_size in (14..=22).map(|shift| 1 << shift) {
        let file = file(DEVICE);
        let options = CreateOptions { header_size, ..Default::default() };
        let created = create(&file, DEVICE, &options, id(1), &master(1)).unwrap();
        assert!(same_key(&created, &unlock_with_master(&file, DEVICE, id(1), &master(1)).unwrap()), "{header_size}");
    }
}

#[test]
fn a_detached_header_leaves_the_data_device_to_the_data() {
    for data_offset in [0, DEFAULT_DATA_OFFSET] {
        let header = file(DEFAULT_DATA_OFFSET);
        let options = CreateOptions { data_offset, ..Default::default() };
        let data_len = data_offset + (3 << 20);
        create(&header, data_len, &options, id(1), &master(1)).unwrap();
        let opened = unlock_with_master(&header, data_len, id(1), &master(1)).unwrap();
        assert_eq!((opened.segment.offset, opened.segment.len.0), (data_offset, 3 << 20));
    }
}

#[test]
fn a_volume_grows_with_its_device() {
    let (file, _) = volume();
    let opened = unlock_with_master(&file, DEVICE + (5 << 20), id(1), &master(1)).unwrap();
    assert_eq!(opened.segment.len.0, 6 << 20);
}

#[test]
fn two_volumes_under_one_master_key_share_no_key() {
    let ((first, a), (second, b)) = (volume(), volume());
    assert!(!same_key(&a, &b));
    let key = |file: &File| *keyslot_key(file, id(1), &master(1)).unwrap().0.expose_secret();
    assert_ne!(key(&first), key(&second));
}

#[test]
fn the_exported_key_opens_the_volume_as_a_passphrase() {
    let (file, created) = volume();
    let key = keyslot_key(&file, id(1), &master(1)).unwrap();
    let opened = unlock_with_passphrase(&file, DEVICE, &SecretBytes::copy_from(key.0.expose_secret())).unwrap();
    assert!(same_key(&created, &opened));
}

#[test]
fn allowing_discards_survives_and_keeps_the_mac_right() {
    let (file, _) = volume();
    for on in [true, false] {
        set_discards(&file, id(1), &master(1), on).unwrap();
        assert_eq!(unlock_with_master(&file, DEVICE, id(1), &master(1)).unwrap().allow_discards, on);
    }
}
