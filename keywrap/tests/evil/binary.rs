//! The binary header (LUKS2 spec, section 2.1). Both copies carry the same evil.

use super::Evil;
use super::support::{SIZE, healthy_volume, reseal};

fn bytes(name: &'static str, at: usize, value: &[u8], error: &'static str) -> Evil {
    let mut bytes = healthy_volume();
    for copy in bytes.chunks_mut(SIZE.len()).take(2) {
        copy[at..at + value.len()].copy_from_slice(value);
        reseal(copy);
    }
    Evil { name, bytes, error }
}

fn unsealed(name: &'static str, at: usize, error: &'static str) -> Evil {
    let mut bytes = healthy_volume();
    for copy in bytes.chunks_mut(SIZE.len()).take(2) {
        copy[at] ^= 1;
    }
    Evil { name, bytes, error }
}

pub(super) fn table() -> Vec<Evil> {
    let no_magic = "there is no LUKS magic";
    let uuid = "the uuid field is not the text of a UUID";
    let sum = "the checksum does not match: the header was damaged or a write was cut short";
    vec![
        bytes("magic in lower case", 0, b"luks\xba\xbe", no_magic),
        bytes("magic without its last byte", 5, &[0], no_magic),
        bytes("LUKS1", 6, &[0, 1], "this is LUKS version 1; convert it first: cryptsetup convert --type luks2"),
        bytes("version 0", 6, &[0, 0], "LUKS version 0 is unknown"),
        bytes("version 3", 6, &[0, 3], "LUKS version 3 is unknown"),
        bytes("little-endian version", 6, &[2, 0], "LUKS version 512 is unknown"),
        bytes("hdr_size 0", 8, &[0; 8], "hdr_size 0 is not a legal header size (16 KiB to 4 MiB, a power of two)"),
        bytes(
            "hdr_size of the binary header alone",
            8,
            &4096u64.to_be_bytes(),
            "hdr_size 4096 is not a legal header size (16 KiB to 4 MiB, a power of two)",
        ),
        bytes(
            "hdr_size one too many",
            8,
            &16385u64.to_be_bytes(),
            "hdr_size 16385 is not a legal header size (16 KiB to 4 MiB, a power of two)",
        ),
        bytes(
            "hdr_size 8 MiB",
            8,
            &(8u64 << 20).to_be_bytes(),
            "hdr_size 8388608 is not a legal header size (16 KiB to 4 MiB, a power of two)",
        ),
        bytes(
            "hdr_size of all ones",
            8,
            &[0xff; 8],
            "hdr_size 18446744073709551615 is not a legal header size (16 KiB to 4 MiB, a power of two)",
        ),
        bytes("hdr_size larger than the checksummed copy", 8, &32768u64.to_be_bytes(), sum),
        bytes(
            "hdr_size larger than the file",
            8,
            &(4u64 << 20).to_be_bytes(),
            "the medium ends at byte 3145728, the header needs 4194304; was the file truncated?",
        ),
        bytes("hdr_offset elsewhere", 256, &512u64.to_be_bytes(), "hdr_offset says 512, but the copy lies at 0"),
        bytes(
            "hdr_offset of all ones",
            256,
            &[0xff; 8],
            "hdr_offset says 18446744073709551615, but the copy lies at 0",
        ),
        bytes("checksum sha1", 72, b"sha1\0\0", "checksum algorithm \"sha1\" is not supported, only sha256"),
        bytes("checksum without a name", 72, &[0; 32], "checksum algorithm \"\" is not supported, only sha256"),
        bytes(
            "checksum name unterminated",
            72,
            &[b'a'; 32],
            "checksum algorithm \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" is not supported, only sha256",
        ),
        bytes("no uuid", 168, &[0; 40], uuid),
        bytes("uuid of rubbish", 168, b"zz112233", uuid),
        bytes("uuid that runs into its end", 168, &[b'0'; 40], uuid),
        unsealed("checksum of something else", 448, sum),
        unsealed("one bit of the salt flipped", 104, sum),
        unsealed("one bit of the sequence number flipped", 23, sum),
        unsealed("one bit of the JSON flipped", 4100, sum),
        unsealed("one bit of the padding after the JSON flipped", SIZE.len() - 1, sum),
    ]
}
