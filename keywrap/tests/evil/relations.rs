//! Members that are legal alone and contradict one another.

use serde_json::{Value, json};

use super::{Evil, json as changed, set};

fn moved(name: &'static str, from: &str, to: &str, error: &'static str) -> Evil {
    let (section, to) = to.rsplit_once('/').unwrap();
    let (_, from) = from.rsplit_once('/').unwrap();
    let change = |document: &mut Value| {
        let section = document.pointer_mut(section).unwrap().as_object_mut().unwrap();
        let member = section.remove(from).unwrap();
        section.insert(to.to_owned(), member);
    };
    changed(name, change, error)
}

fn added(name: &'static str, path: &str, like: &str, change: impl FnOnce(&mut Value), error: &'static str) -> Evil {
    let (section, member) = path.rsplit_once('/').unwrap();
    let add = |document: &mut Value| {
        let mut value = document.pointer(like).unwrap().clone();
        change(&mut value);
        document.pointer_mut(section).unwrap()[member] = value;
    };
    changed(name, add, error)
}

pub(super) fn table() -> Vec<Evil> {
    [numbering(), areas(), references(), segments()].into_iter().flatten().collect()
}

fn numbering() -> Vec<Evil> {
    vec![
        moved(
            "keyslot 32",
            "/keyslots/0",
            "/keyslots/32",
            "keyslots.32: not a number from 0 to 31 without leading zeros",
        ),
        moved(
            "keyslot 00",
            "/keyslots/0",
            "/keyslots/00",
            "keyslots.00: not a number from 0 to 31 without leading zeros",
        ),
        moved(
            "keyslot -1",
            "/keyslots/0",
            "/keyslots/-1",
            "keyslots.-1: not a number from 0 to 31 without leading zeros",
        ),
        moved(
            "keyslot without a number",
            "/keyslots/0",
            "/keyslots/",
            "keyslots.: not a number from 0 to 31 without leading zeros",
        ),
        moved("token one", "/tokens/0", "/tokens/one", "tokens.one: not a number from 0 to 31 without leading zeros"),
        moved("digest 8", "/digests/0", "/digests/8", "digests.8: not a number from 0 to 7 without leading zeros"),
        moved(
            "segment of 2^32",
            "/segments/0",
            "/segments/4294967296",
            "segments.4294967296: not a number from 0 to 31 without leading zeros",
        ),
        set(
            "json_size of another header",
            "/config/json_size",
            json!("28672"),
            "config.json_size: 28672 is stated, but the header's size makes it 12288",
        ),
    ]
}

fn areas() -> Vec<Evil> {
    let area = |field: &str| format!("/keyslots/1/area/{field}");
    let (offset, size) = (&*area("offset"), &*area("size"));
    vec![
        set(
            "area in the primary header",
            offset,
            json!("0"),
            "keyslots.1.area.offset: the area begins at byte 0, before both header copies end at 32768",
        ),
        set(
            "area in the secondary header",
            offset,
            json!("28672"),
            "keyslots.1.area.offset: the area begins at byte 28672, before both header copies end at 32768",
        ),
        set(
            "area in the data",
            offset,
            json!("2097152"),
            "keyslots.1.area.size: the area ends at byte 2355200, the space for keyslots at 1081344",
        ),
        set(
            "area over the end of the space",
            offset,
            json!("827392"),
            "keyslots.1.area.size: the area ends at byte 1085440, the space for keyslots at 1081344",
        ),
        set(
            "area that reaches 2^64",
            offset,
            json!("18446744073709547520"),
            "keyslots.1.area: offset and size add up to more than 64 bits",
        ),
        set("area on another", offset, json!("32768"), "keyslots.1.area: the area overlaps that of keyslot 0"),
        set(
            "area over the start of another",
            offset,
            json!("286720"),
            "keyslots.1.area: the area overlaps that of keyslot 0",
        ),
        set(
            "area smaller than its split key",
            size,
            json!("253952"),
            "keyslots.1.area.size: an area of 253952 bytes does not hold 256000 bytes of split key",
        ),
        set(
            "more stripes than fit",
            "/keyslots/1/af/stripes",
            json!(u32::MAX),
            "keyslots.1.area.size: an area of 258048 bytes does not hold 274877906880 bytes of split key",
        ),
        set(
            "keyslots over the data",
            "/config/keyslots_size",
            json!("2068480"),
            "config.keyslots_size: the keyslots end at byte 2101248, after the data begins at 2097152",
        ),
        set(
            "data in the headers",
            "/segments/0/offset",
            json!("4096"),
            "config.keyslots_size: the keyslots end at byte 1081344, after the data begins at 4096",
        ),
    ]
}

fn references() -> Vec<Evil> {
    vec![
        set(
            "digest of a keyslot that is not there",
            "/digests/0/keyslots",
            json!(["0", "7"]),
            "digests.0.keyslots: keyslot \"7\" does not exist",
        ),
        set(
            "digest of a keyslot without a number",
            "/digests/0/keyslots",
            json!(["x"]),
            "digests.0.keyslots: keyslot \"x\" does not exist",
        ),
        set(
            "digest of a keyslot twice",
            "/digests/0/keyslots",
            json!(["1", "1"]),
            "digests.0.keyslots: \"1\" is listed twice",
        ),
        set(
            "digest of a segment that is not there",
            "/digests/0/segments",
            json!(["1"]),
            "digests.0.segments: segment \"1\" does not exist",
        ),
        set(
            "token of a keyslot that is not there",
            "/tokens/0/keyslots",
            json!(["31"]),
            "tokens.0.keyslots: keyslot \"31\" does not exist",
        ),
        set(
            "token of a keyslot beyond all",
            "/tokens/0/keyslots",
            json!(["99999999999999999999"]),
            "tokens.0.keyslots: keyslot \"99999999999999999999\" does not exist",
        ),
    ]
}

fn segments() -> Vec<Evil> {
    let linear = |offset: &'static str, size: &'static str| {
        move |segment: &mut Value| *segment = json!({"type": "linear", "offset": offset, "size": size})
    };
    vec![
        added(
            "segments with a gap",
            "/segments/2",
            "/segments/0",
            linear("2097152", "dynamic"),
            "segments: segment 1 is missing: segments are numbered from 0 without a gap",
        ),
        added(
            "segments that overlap",
            "/segments/1",
            "/segments/0",
            linear("2101248", "4096"),
            "segments.1: the segment overlaps segment 0",
        ),
        set(
            "segment that reaches 2^64",
            "/segments/0/size",
            json!("18446744073709547520"),
            "segments.0: offset and size add up to more than 64 bits",
        ),
    ]
}
