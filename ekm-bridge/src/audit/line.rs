//! A line of the log, and the head of the chain.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::entry::MAX_ENTRY_LEN;

const BEFORE_HASH: &[u8] = b"{\"hash\":\"";
const BEFORE_ENTRY: &[u8] = b"\",\"entry\":";
const AFTER_ENTRY: &[u8] = b"}";
const HEX_LEN: usize = 64;

/// The longest line with its line break, in bytes.
pub(super) const MAX_LINE_LEN: usize =
    BEFORE_HASH.len() + HEX_LEN + BEFORE_ENTRY.len() + MAX_ENTRY_LEN + AFTER_ENTRY.len() + 1;

/// SHA-256 in this chain.
pub(super) type Hash = [u8; 32];

/// The last entry of a log: its number and its hash. Kept elsewhere, it proves later that nothing before it was changed
/// or cut off. Written as `NUMBER:HEXADECIMAL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number of entries; 0 for an empty log.
    pub sequence: u64,
    /// The last hash; all zero for an empty log.
    pub hash: Hash,
}

impl Head {
    /// The head of an empty log.
    pub const EMPTY: Self = Self { sequence: 0, hash: [0; 32] };

    /// The head after an entry with this canonical JSON.
    pub(super) fn after(self, entry: &[u8]) -> Self {
        let hash = Sha256::new().chain_update(self.hash).chain_update(entry).finalize().into();
        Self { sequence: self.sequence + 1, hash }
    }

    /// The line that makes this head out of `entry`.
    pub(super) fn line(self, entry: &str) -> Vec<u8> {
        let hash = hex(&self.hash);
        [BEFORE_HASH, hash.as_bytes(), BEFORE_ENTRY, entry.as_bytes(), AFTER_ENTRY, b"\n"].concat()
    }
}

/// Hash and entry of a line without its line break; `None` when it is not one of ours.
pub(super) fn parse(line: &[u8]) -> Option<(Hash, &[u8])> {
    let rest = line.strip_prefix(BEFORE_HASH)?;
    let (hash, rest) = rest.split_at_checked(HEX_LEN)?;
    let entry = rest.strip_prefix(BEFORE_ENTRY)?.strip_suffix(AFTER_ENTRY)?;
    Some((from_hex(hash)?, entry))
}

/// A hash as it is written: lower-case hexadecimal.
pub(super) fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &[u8]) -> Option<Hash> {
    let mut hash = [0; 32];
    if text.len() != HEX_LEN {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(hash)
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, hex(&self.hash))
    }
}

/// A text that is not a head.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the head of an audit log: NUMBER:HASH, the hash in 64 lower-case hexadecimal digits")]
pub struct NotAHead(String);

impl FromStr for Head {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let parse = || {
            let (sequence, hash) = text.split_once(':')?;
            Some(Self { sequence: sequence.parse().ok()?, hash: from_hex(hash.as_bytes())? })
        };
        parse().ok_or_else(|| NotAHead(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_back_as_hash_and_entry() {
        let head = Head::EMPTY.after(b"{}");
        let line = head.line("{}");
        let (hash, entry) = parse(line.strip_suffix(b"\n").unwrap()).unwrap();
        assert_eq!((hash, entry), (head.hash, &b"{}"[..]));
        // SHA-256 of 32 zero bytes and "{}", by `(head -c32 /dev/zero; printf {}) | sha256sum`.
        assert_eq!(hex(&hash), HASH_OF_EMPTY_OBJECT);
    }

    const HASH_OF_EMPTY_OBJECT: &str = "fb1634c4e6cd4b1f1afe3ce2d6ef080f7ac5d1f357d723ad4dfca782733b62db";

    #[test]
    fn other_lines_are_not_ours() {
        let line = Head::EMPTY.after(b"{}").line("{}");
        let line = line.strip_suffix(b"\n").unwrap();
        for len in 0..line.len() - 3 {
            assert_eq!(parse(&line[..len]), None, "{len}");
        }
        let upper: Vec<u8> = line.iter().map(u8::to_ascii_uppercase).collect();
        assert_eq!(parse(&upper), None);
    }

    #[test]
    fn a_head_is_read_as_it_is_written() {
        let head = Head { sequence: 12, hash: [0xab; 32] };
        assert_eq!(head.to_string().parse(), Ok(head));
        for bad in ["", "1", "1:", "x:00", &format!("1:{}", "AB".repeat(32)), &format!("1:{}", "ab".repeat(33))] {
            assert!(bad.parse::<Head>().is_err(), "{bad}");
        }
    }
}
