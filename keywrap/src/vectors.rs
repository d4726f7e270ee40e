//! Reads the published test vectors under `tests/vectors/`: blocks of `name = value` lines, `#` for comments.

use std::collections::BTreeMap;

/// One block.
pub(crate) struct Vector {
    text: BTreeMap<&'static str, &'static str>,
    bytes: BTreeMap<&'static str, Vec<u8>>,
}

impl Vector {
    /// A value that is hexadecimal.
    pub(crate) fn bytes(&self, name: &str) -> &[u8] {
        &self.bytes[name]
    }

    /// A value as it stands.
    pub(crate) fn text(&self, name: &str) -> &'static str {
        self.text[name]
    }

    /// A hexadecimal number.
    pub(crate) fn number(&self, name: &str) -> u32 {
        u32::from_str_radix(self.text(name), 16).unwrap()
    }
}

/// All blocks of a file.
pub(crate) fn parse(file: &'static str) -> Vec<Vector> {
    let blocks = file.split("\n\n").map(|block| {
        let lines = block.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| line.split_once(" =")).map(|(name, value)| (name, value.trim())).collect()
    });
    let vectors: Vec<_> = blocks.filter(|text: &BTreeMap<_, _>| !text.is_empty()).map(decode).collect();
    assert!(!vectors.is_empty());
    vectors
}

fn decode(text: BTreeMap<&'static str, &'static str>) -> Vector {
    let bytes = text.iter().filter_map(|(name, value)| Some((*name, hex(value)?))).collect();
    Vector { text, bytes }
}

/// The bytes of a hexadecimal text; `None` if it is not one.
pub(crate) fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
