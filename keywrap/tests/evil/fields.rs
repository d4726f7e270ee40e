//! Single members: missing, of the wrong type, or outside their limits.

use serde_json::json;

use super::{Evil, set, without};

pub(super) fn table() -> Vec<Evil> {
    [missing(), wrong_type(), keyslots_out_of_range(), others_out_of_range()].into_iter().flatten().collect()
}

fn missing() -> Vec<Evil> {
    vec![
        without("no keyslots", "/keyslots", "keyslots: missing"),
        without("no tokens", "/tokens", "tokens: missing"),
        without("no segments", "/segments", "segments: missing"),
        without("no digests", "/digests", "digests: missing"),
        without("no config", "/config", "config: missing"),
        without("keyslot without type", "/keyslots/0/type", "keyslots.0.type: missing"),
        without("keyslot without key_size", "/keyslots/0/key_size", "keyslots.0.key_size: missing"),
        without("keyslot without area", "/keyslots/0/area", "keyslots.0.area: missing"),
        without("keyslot without kdf", "/keyslots/0/kdf", "keyslots.0.kdf: missing"),
        without("keyslot without af", "/keyslots/0/af", "keyslots.0.af: missing"),
        without("area without offset", "/keyslots/1/area/offset", "keyslots.1.area.offset: missing"),
        without("area without encryption", "/keyslots/1/area/encryption", "keyslots.1.area.encryption: missing"),
        without("pbkdf2 without iterations", "/keyslots/0/kdf/iterations", "keyslots.0.kdf.iterations: missing"),
        without("argon2 without memory", "/keyslots/1/kdf/memory", "keyslots.1.kdf.memory: missing"),
        without("kdf without salt", "/keyslots/1/kdf/salt", "keyslots.1.kdf.salt: missing"),
        without("token without type", "/tokens/0/type", "tokens.0.type: missing"),
        without("token without keyslots", "/tokens/0/keyslots", "tokens.0.keyslots: missing"),
        without("segment without size", "/segments/0/size", "segments.0.size: missing"),
        without("segment without iv_tweak", "/segments/0/iv_tweak", "segments.0.iv_tweak: missing"),
        without("digest without segments", "/digests/0/segments", "digests.0.segments: missing"),
        without("digest without digest", "/digests/0/digest", "digests.0.digest: missing"),
        without("config without json_size", "/config/json_size", "config.json_size: missing"),
        without("config without keyslots_size", "/config/keyslots_size", "config.keyslots_size: missing"),
    ]
}

fn wrong_type() -> Vec<Evil> {
    let u64_error = "segments.0.offset: not a string of decimal digits that fits 64 bits";
    let u32_error = "keyslots.0.key_size: not a number from 0 to 4294967295";
    vec![
        set("keyslots as an array", "/keyslots", json!([]), "keyslots: not an object"),
        set("keyslot as a number", "/keyslots/0", json!(1), "keyslots.0: not an object"),
        set("config as a string", "/config", json!("x"), "config: not an object"),
        set("type as a number", "/keyslots/0/type", json!(2), "keyslots.0.type: not a string"),
        set("offset as a number", "/segments/0/offset", json!(2_097_152), "segments.0.offset: not a string"),
        set("offset negative", "/segments/0/offset", json!("-1"), u64_error),
        set("offset with a plus", "/segments/0/offset", json!("+2097152"), u64_error),
        set("offset with a space", "/segments/0/offset", json!(" 2097152"), u64_error),
        set("offset empty", "/segments/0/offset", json!(""), u64_error),
        set("offset in hexadecimal", "/segments/0/offset", json!("0x200000"), u64_error),
        set("offset of 2^64", "/segments/0/offset", json!("18446744073709551616"), u64_error),
        set(
            "segment size in words",
            "/segments/0/size",
            json!("all"),
            "segments.0.size: not a string of decimal digits that fits 64 bits",
        ),
        set("key_size negative", "/keyslots/0/key_size", json!(-64), u32_error),
        set("key_size with a fraction", "/keyslots/0/key_size", json!(64.0), u32_error),
        set("key_size of 2^32", "/keyslots/0/key_size", json!(1u64 << 32), u32_error),
        set("key_size as a string", "/keyslots/0/key_size", json!("64"), u32_error),
        set("salt that is not base64", "/keyslots/0/kdf/salt", json!("***"), "keyslots.0.kdf.salt: not base64"),
        set(
            "token keyslots as numbers",
            "/tokens/0/keyslots",
            json!([1]),
            "tokens.0.keyslots: not an array of strings",
        ),
        set("flags as a string", "/config/flags", json!("allow-discards"), "config.flags: not an array of strings"),
        set("requirements as an array", "/config/requirements", json!(["x"]), "config.requirements: not an object"),
        set(
            "mandatory as an object",
            "/config/requirements",
            json!({"mandatory": {}}),
            "config.requirements.mandatory: not an array of strings",
        ),
        set("unknown af", "/keyslots/0/af/type", json!("luks9"), "keyslots.0.af.type: \"luks9\" is unknown"),
        set("unknown kdf", "/keyslots/0/kdf/type", json!("scrypt"), "keyslots.0.kdf.type: \"scrypt\" is unknown"),
        set("unknown area", "/keyslots/0/area/type", json!("cooked"), "keyslots.0.area.type: \"cooked\" is unknown"),
    ]
}

fn keyslots_out_of_range() -> Vec<Evil> {
    vec![
        set("key_size 0", "/keyslots/0/key_size", json!(0), "keyslots.0.key_size: 0 is outside 1 to 512"),
        set("key_size 513", "/keyslots/0/key_size", json!(513), "keyslots.0.key_size: 513 is outside 1 to 512"),
        set(
            "area key_size 0",
            "/keyslots/0/area/key_size",
            json!(0),
            "keyslots.0.area.key_size: 0 is outside 1 to 512",
        ),
        set("no stripes", "/keyslots/0/af/stripes", json!(0), "keyslots.0.af.stripes: 0 is outside 1 to 4294967295"),
        set("priority 3", "/keyslots/0/priority", json!(3), "keyslots.0.priority: 3 is outside 0 to 2"),
        set(
            "no iterations",
            "/keyslots/0/kdf/iterations",
            json!(0),
            "keyslots.0.kdf.iterations: 0 is outside 1 to 4294967295",
        ),
        set("argon2 time 0", "/keyslots/1/kdf/time", json!(0), "keyslots.1.kdf.time: 0 is outside 1 to 4294967295"),
        set("argon2 without lanes", "/keyslots/1/kdf/cpus", json!(0), "keyslots.1.kdf.cpus: 0 is outside 1 to 4"),
        set("argon2 of 5 lanes", "/keyslots/1/kdf/cpus", json!(5), "keyslots.1.kdf.cpus: 5 is outside 1 to 4"),
        set(
            "argon2 memory below 8 KiB a lane",
            "/keyslots/1/kdf/memory",
            json!(15),
            "keyslots.1.kdf.memory: 15 is outside 16 to 4194304",
        ),
        set(
            "argon2 memory of 4 TiB",
            "/keyslots/1/kdf/memory",
            json!(u32::MAX),
            "keyslots.1.kdf.memory: 4294967295 is outside 16 to 4194304",
        ),
        set(
            "empty salt",
            "/keyslots/0/kdf/salt",
            json!(""),
            "keyslots.0.kdf.salt: the bytes are 0 long, 1 to 512 are allowed",
        ),
        set(
            "empty digest",
            "/digests/0/digest",
            json!(""),
            "digests.0.digest: the bytes are 0 long, 1 to 512 are allowed",
        ),
    ]
}

fn others_out_of_range() -> Vec<Evil> {
    vec![
        set(
            "sector size 8192",
            "/segments/0/sector_size",
            json!(8192),
            "segments.0.sector_size: 8192 is not one of 512, 1024, 2048, 4096",
        ),
        set(
            "segment of no length",
            "/segments/0/size",
            json!("0"),
            "segments.0.size: 0 is outside 1 to 18446744073709551614",
        ),
        set(
            "segment of half a sector",
            "/segments/0/size",
            json!("2048"),
            "segments.0.size: 2048 is not a multiple of 4096",
        ),
        set(
            "segment at an odd byte",
            "/segments/0/offset",
            json!("2097153"),
            "segments.0.offset: 2097153 is not a multiple of 512",
        ),
        set(
            "area of no length",
            "/keyslots/0/area/size",
            json!("0"),
            "keyslots.0.area.size: an area of 0 bytes does not hold 256000 bytes of split key",
        ),
        set(
            "area at an odd place",
            "/keyslots/0/area/offset",
            json!("33280"),
            "keyslots.0.area.offset: 33280 is not a multiple of 4096",
        ),
        set(
            "keyslots_size uneven",
            "/config/keyslots_size",
            json!("1048577"),
            "config.keyslots_size: 1048577 is not a multiple of 4096",
        ),
        set(
            "keyslots_size over 128 MiB",
            "/config/keyslots_size",
            json!("134221824"),
            "config.keyslots_size: 134221824 is outside 0 to 134217728",
        ),
    ]
}
