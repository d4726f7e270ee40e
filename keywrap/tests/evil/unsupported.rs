//! Legal LUKS2 that this program refuses, by the name of what is in the way.

use serde_json::json;

use super::{Evil, json as changed, set};

pub(super) fn table() -> Vec<Evil> {
    [unfinished(), not_one_aes_xts_segment()].into_iter().flatten().collect()
}

fn unfinished() -> Vec<Evil> {
    vec![
        set(
            "unknown requirement",
            "/config/requirements",
            json!({"mandatory": ["quantum-keyslot"]}),
            "the volume requires \"quantum-keyslot\", which this program does not know; use the program that set it",
        ),
        set(
            "reencryption requirement",
            "/config/requirements",
            json!({"mandatory": ["online-reencrypt-v2"]}),
            "the volume is in the middle of a reencryption (requirement online-reencrypt-v2); \
             finish it first: cryptsetup reencrypt --resume-only",
        ),
        set(
            "offline reencryption requirement",
            "/config/requirements",
            json!({"mandatory": ["offline-reencrypt"]}),
            "the volume is in the middle of a reencryption (requirement offline-reencrypt); \
             finish it first: cryptsetup reencrypt --resume-only",
        ),
        set(
            "reencrypt keyslot",
            "/keyslots/2",
            json!({"type": "reencrypt", "key_size": 1, "mode": "reencrypt", "direction": "forward",
                   "area": {"type": "none", "offset": "548864", "size": "4096"}}),
            "the volume is in the middle of a reencryption (keyslot 2); \
             finish it first: cryptsetup reencrypt --resume-only",
        ),
        set(
            "backup segment",
            "/segments/1",
            json!({"type": "linear", "offset": "2097152", "size": "dynamic", "flags": ["backup-previous"]}),
            "the volume is in the middle of a reencryption (segment 1 is marked backup-previous); \
             finish it first: cryptsetup reencrypt --resume-only",
        ),
        set(
            "segment in reencryption",
            "/segments/0/flags",
            json!(["in-reencryption"]),
            "the volume is in the middle of a reencryption (segment 0 is marked in-reencryption); \
             finish it first: cryptsetup reencrypt --resume-only",
        ),
    ]
}

fn not_one_aes_xts_segment() -> Vec<Evil> {
    vec![
        set(
            "integrity",
            "/segments/0/integrity",
            json!({"type": "hmac(sha256)", "journal_encryption": "none", "journal_integrity": "none"}),
            "segment 0 has integrity protection, which this program does not support",
        ),
        set(
            "another cipher",
            "/segments/0/encryption",
            json!("serpent-xts-plain64"),
            "segment 0 is encrypted with \"serpent-xts-plain64\"; only aes-xts-plain64 is supported",
        ),
        set(
            "the null cipher",
            "/segments/0/encryption",
            json!("cipher_null-ecb"),
            "segment 0 is encrypted with \"cipher_null-ecb\"; only aes-xts-plain64 is supported",
        ),
        set(
            "plaintext segment",
            "/segments/0",
            json!({"type": "linear", "offset": "2097152", "size": "dynamic"}),
            "segment 0 is of type \"linear\"; only crypt is supported",
        ),
        set(
            "unknown segment",
            "/segments/0",
            json!({"type": "zoned", "offset": "2097152", "size": "dynamic", "zones": 4}),
            "segment 0 is of type \"zoned\"; only crypt is supported",
        ),
        changed(
            "two segments",
            |document| {
                let mut second = document["segments"]["0"].clone();
                second["offset"] = json!("2105344");
                document["segments"]["0"]["size"] = json!("8192");
                document["segments"]["1"] = second;
            },
            "the volume has 2 segments; only volumes of exactly one are supported",
        ),
        changed(
            "no segment",
            |document| {
                document["segments"] = json!({});
                document["digests"]["0"]["segments"] = json!([]);
            },
            "the volume has 0 segments; only volumes of exactly one are supported",
        ),
    ]
}
