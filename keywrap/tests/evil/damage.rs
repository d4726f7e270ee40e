//! Files cut short at every size class, and random damage: an error or the old contents, never a panic.

use keywrap::luks2::binary::HeaderSize;
use keywrap::luks2::json::Metadata;
use keywrap::luks2::select::Copies;
use keywrap::luks2::store::Store;
use proptest::prelude::*;

use super::support::{Memory, SIZE, healthy_json, healthy_volume, reseal};

#[test]
fn a_file_cut_anywhere_in_its_headers_is_refused_or_opens_from_the_copy_that_is_left() {
    let whole = healthy_volume();
    for len in [0, 1, 5, 6, 511, 512, 4095, 4096, 4097, 16_383, 16_384, 16_390, 20_479, 20_480, 32_767, 32_768] {
        let medium = Memory::new(whole[..len].to_vec());
        let opened = Store::open(&medium);
        // From 16384 bytes on the primary copy is whole.
        assert_eq!(opened.is_ok(), len >= SIZE.len(), "{len}");
        let expected = if len < 6 { "not a LUKS volume" } else { "was the file truncated?" };
        assert!(opened.err().is_none_or(|error| error.to_string().contains(expected)), "{len}");
    }
}

#[test]
fn a_secondary_copy_is_found_at_each_legal_place_and_at_no_other() {
    use super::support::{copy, healthy_binary};
    use keywrap::luks2::binary::CopyId;
    for size in HeaderSize::ALL {
        let mut document = healthy_json();
        document["config"]["json_size"] = size.json_bytes().to_string().into();
        document["config"]["keyslots_size"] = "0".into();
        document["keyslots"] = serde_json::json!({});
        document["tokens"] = serde_json::json!({});
        document["digests"]["0"]["keyslots"] = serde_json::json!([]);
        document["segments"]["0"]["offset"] = size.both_copies().to_string().into();
        let mut binary = healthy_binary(9);
        binary.size = size;
        let secondary = copy(&binary, CopyId::Secondary, document.to_string().as_bytes());
        for shift in [0, 4096] {
            let mut bytes = vec![0; size.len() + shift];
            bytes.extend_from_slice(&secondary);
            let found = Copies::read(&Memory::new(bytes)).secondary;
            assert_eq!(found.is_ok(), shift == 0, "{size:?} + {shift}: {found:?}");
        }
    }
}

/// Damage of `volume`: bytes set at places inside the two headers.
fn damaged(mut volume: Vec<u8>, damage: &[(usize, u8)], sealed: bool) -> Vec<u8> {
    for &(at, value) in damage {
        volume[at % (2 * SIZE.len())] = value;
    }
    if sealed {
        volume.chunks_mut(SIZE.len()).take(2).for_each(reseal);
    }
    volume
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_damage_never_panics_and_is_never_read_as_something_else(
        damage in prop::collection::vec((any::<usize>(), any::<u8>()), 1..20),
    ) {
        let healthy = Copies::read(&Memory::new(healthy_volume())).primary.unwrap();
        let medium = Memory::new(damaged(healthy_volume(), &damage, false));
        if let Ok(store) = Store::open(&medium) {
            prop_assert_eq!(store.header(), &healthy);
        }
    }

    #[test]
    fn random_damage_under_a_good_checksum_never_panics(
        damage in prop::collection::vec((0usize..6000, any::<u8>()), 1..6),
    ) {
        let medium = Memory::new(damaged(healthy_volume(), &damage, true));
        let _ = Store::open(&medium);
    }

    #[test]
    fn any_text_that_is_accepted_is_accepted_again_after_writing(
        at in any::<prop::sample::Index>(),
        replacement in "[\\PC\"{}:,0-9]{0,6}",
    ) {
        let mut text = healthy_json().to_string();
        let at = at.index(text.len());
        text.replace_range(at..=at, &replacement);
        text.push('\0');
        if let Ok(metadata) = Metadata::parse(text.as_bytes(), SIZE) {
            let written = metadata.encode(SIZE).unwrap() + "\0";
            prop_assert_eq!(Metadata::parse(written.as_bytes(), SIZE), Ok(metadata));
        }
    }
}
