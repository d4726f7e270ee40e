use super::*;

#[test]
fn an_erased_volume_has_no_header_and_no_key_left() {
    let (file, created) = volume();
    add_passphrase(&file, &created.volume_key, &passphrase("swordfish"), CHEAP).unwrap();
    let before = contents(&file, usize::try_from(DEVICE).unwrap());
    let report = erase(&file).unwrap();
    assert_eq!((report.keyslots, report.no_header_found), (2, true));
    let erased: u64 = report.ranges.iter().map(|range| range.len).sum();
    assert_eq!(erased, DEFAULT_DATA_OFFSET, "unused space for keyslots too");

    let after = contents(&file, usize::try_from(DEVICE).unwrap());
    let header = usize::try_from(DEFAULT_DATA_OFFSET).unwrap();
    for (number, (old, new)) in before[..header].chunks(4096).zip(after[..header].chunks(4096)).enumerate() {
        assert!(old != new, "block {number} was left as it was");
    }
    assert!(before[header..] == after[header..], "the data was left as it was");
    assert!(error(inspect(&file)).to_string().contains("not a LUKS volume"));
}

#[test]
fn erasing_goes_on_when_one_copy_of_the_header_is_damaged() {
    let (file, _) = volume();
    file.write_all_at(&[0; 4096], 0).unwrap();
    assert!(erase(&file).unwrap().no_header_found);
}
