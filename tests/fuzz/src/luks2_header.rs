//! The whole way from a medium's bytes to the header that counts: binary header, checksum, JSON, rules, selection.
//!
//! The input is a compact image, so that mutations hit fields and not padding:
//!
//! ```text
//! 0          switches: bit 0, 1 repair the checksum of the first, second copy; bit 2 cut the second copy's JSON short
//! 1..513     first 512 bytes of the first copy (the rest of a binary header is padding)
//! 513..1025  first 512 bytes of the second copy
//! 1025..     JSON text of both copies
//! ```
#![no_main]

use std::io;

use keywrap::keys::MacKey;
use keywrap::luks2::binary::{BINARY_LEN, CopyId, HeaderSize, RawHeader};
use keywrap::luks2::header::CheckedHeader;
use keywrap::luks2::mac;
use keywrap::luks2::select::Copies;
use keywrap::luks2::supported;
use keywrap::luks2::token::SearToken;
use keywrap::medium::Medium;
use keywrap::secret::Secret;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

const FIELDS_LEN: usize = 512;
/// `csum` of the binary header (LUKS2 spec, section 2.1).
const CHECKSUM_FIELD: std::ops::Range<usize> = 448..512;
/// Larger headers hold the same fields and would only be slower to hash.
const MAX_SIZE: usize = 64 * 1024;
/// A data device long enough for the segments of real volumes.
const DEVICE_LEN: u64 = 1 << 40;

/// A medium in memory; reading is all that selection does.
struct Image(Vec<u8>);

impl Medium for Image {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let end = start.checked_add(buf.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buf.copy_from_slice(self.0.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_all_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        panic!("selection must not write");
    }

    fn sync(&self) -> io::Result<()> {
        panic!("selection must not sync");
    }
}

fuzz_target!(|input: &[u8]| {
    let Some(image) = image(input) else { return };
    let Ok((header, _)) = Copies::read(&image).choose() else { return };
    // What was accepted can be written again and then reads the same.
    for id in [CopyId::Primary, CopyId::Secondary] {
        let Ok(bytes) = header.encode(id, &[7; 64]) else { panic!("an accepted header cannot be written") };
        assert_eq!(read(id, &header, bytes), header);
    }
    drop(supported::data_segment(&header.metadata, DEVICE_LEN));
    tokens(&header);
});

/// Our own tokens survive writing, never verify under a key that did not seal them, and verify under one that did.
fn tokens(header: &CheckedHeader) {
    let key = MacKey(Secret::copy_from(&[7; 32]).expect("32 bytes"));
    for (id, token) in SearToken::all(&header.metadata) {
        let Ok(mut token) = token else { continue };
        assert_eq!(SearToken::parse(id, &token.to_token()).as_ref(), Ok(&token));
        assert!(mac::verify(&key, &header.uuid, &header.metadata, &token).is_err());
        if mac::seal(&key, &header.uuid, &header.metadata, &mut token).is_ok() {
            assert_eq!(mac::verify(&key, &header.uuid, &header.metadata, &token), Ok(()));
        }
    }
}

fn image(input: &[u8]) -> Option<Image> {
    let (&switches, rest) = input.split_first()?;
    let (first, rest) = rest.split_at_checked(FIELDS_LEN)?;
    let (second, json) = rest.split_at_checked(FIELDS_LEN)?;
    let stated = u64::from_be_bytes(first.get(8..16)?.try_into().ok()?);
    let size = HeaderSize::from_bytes(stated).map_or(16 * 1024, |size| size.len());
    if size > MAX_SIZE {
        return None;
    }
    let second_json = if switches & 4 == 0 { json } else { json.get(..json.len() / 2)? };
    let first = copy(first, json, size, switches & 1 != 0);
    let second = copy(second, second_json, size, switches & 2 != 0);
    Some(Image([first, second].concat()))
}

/// One copy of `size` bytes, with a matching checksum if asked for.
fn copy(fields: &[u8], json: &[u8], size: usize, repair: bool) -> Vec<u8> {
    let mut bytes = vec![0; size];
    bytes[..FIELDS_LEN].copy_from_slice(fields);
    let json = &json[..json.len().min(size - BINARY_LEN)];
    bytes[BINARY_LEN..BINARY_LEN + json.len()].copy_from_slice(json);
    if repair {
        bytes[CHECKSUM_FIELD].fill(0);
        let sum = Sha256::digest(&bytes);
        bytes[CHECKSUM_FIELD][..sum.len()].copy_from_slice(&sum);
    }
    bytes
}

fn read(id: CopyId, header: &CheckedHeader, bytes: Vec<u8>) -> CheckedHeader {
    let (binary, _) = bytes.split_first_chunk::<BINARY_LEN>().expect("a copy begins with a binary header");
    let raw = RawHeader::parse(binary, id, id.offset(header.size)).expect("our own binary header is legal");
    CheckedHeader::parse(raw, &bytes).expect("our own copy is legal")
}
