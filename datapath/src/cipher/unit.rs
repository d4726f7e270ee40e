//! How long a data unit may be.

/// The length of one data unit in bytes: from one block up to 2^20 blocks (NIST SP 800-38E, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitLen(usize);

/// A length that XTS does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a data unit of {0} bytes is not from {min} to {max} bytes long", min = UnitLen::MIN, max = UnitLen::MAX)]
pub struct BadUnitLen(pub usize);

impl UnitLen {
    /// The shortest data unit: one block.
    pub const MIN: usize = 16;
    /// The longest data unit: 2^20 blocks.
    pub const MAX: usize = 16 << 20;

    /// A data unit of `bytes` bytes.
    ///
    /// # Errors
    /// When it is shorter than [`Self::MIN`] or longer than [`Self::MAX`].
    pub const fn new(bytes: usize) -> Result<Self, BadUnitLen> {
        match bytes {
            Self::MIN..=Self::MAX => Ok(Self(bytes)),
            _ => Err(BadUnitLen(bytes)),
        }
    }

    /// The length in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_has_one_block_to_two_to_the_twenty_blocks() {
        for len in [16, 17, 512, 16 << 20] {
            assert_eq!(UnitLen::new(len).map(UnitLen::bytes), Ok(len));
        }
        for len in [0, 15, (16 << 20) + 1, usize::MAX] {
            assert_eq!(UnitLen::new(len), Err(BadUnitLen(len)));
        }
        assert_eq!(BadUnitLen(3).to_string(), "a data unit of 3 bytes is not from 16 to 16777216 bytes long");
    }
}
