//! Units that the key path and the data path share: sector size, sector address, byte length, data segment.

use std::fmt;

/// The size of an encryption sector, which is also one XTS data unit (LUKS2 spec, segment `sector_size`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SectorSize {
    /// 512 bytes.
    B512,
    /// 1024 bytes.
    B1024,
    /// 2048 bytes.
    B2048,
    /// 4096 bytes, the default of a new volume.
    B4096,
}

impl SectorSize {
    /// Every legal size, smallest first.
    pub const ALL: [Self; 4] = [Self::B512, Self::B1024, Self::B2048, Self::B4096];

    /// The size in bytes.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        1 << self.shift()
    }

    /// Base-two logarithm of the size in bytes.
    #[must_use]
    pub const fn shift(self) -> u32 {
        match self {
            Self::B512 => 9,
            Self::B1024 => 10,
            Self::B2048 => 11,
            Self::B4096 => 12,
        }
    }

    /// How many 512-byte units one sector spans: the step of the plain64 tweak.
    #[must_use]
    pub const fn tweak_step(self) -> u64 {
        1 << (self.shift() - 9)
    }
}

impl TryFrom<u32> for SectorSize {
    type Error = BadSectorSize;

    fn try_from(bytes: u32) -> Result<Self, BadSectorSize> {
        Self::ALL.into_iter().find(|size| size.bytes() == bytes).ok_or(BadSectorSize(bytes))
    }
}

/// A sector size that LUKS2 does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sector size {0} is not one of 512, 1024, 2048, 4096")]
pub struct BadSectorSize(pub u32);

/// The address of a sector inside a volume's data segment, in units of that volume's sector size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lba(pub u64);

/// A length in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteLen(pub u64);

impl fmt::Display for ByteLen {
    /// The largest binary unit that divides the length evenly: `1 GiB`, `1536 KiB`, `513 bytes`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match UNITS.into_iter().find(|(unit, _)| self.0 != 0 && self.0.is_multiple_of(*unit)) {
            Some((unit, name)) => write!(f, "{} {name}", self.0 / unit),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

/// Where a volume's ciphertext lies on its data device, and how its tweaks are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataSegment {
    /// Byte offset of the first ciphertext sector on the data device.
    pub offset: u64,
    /// Length in bytes, a multiple of the sector size.
    pub len: ByteLen,
    /// Size of one XTS data unit.
    pub sector_size: SectorSize,
    /// Added to every plain64 tweak, in 512-byte units (LUKS2 segment `iv_tweak`).
    pub iv_tweak: u64,
}

impl DataSegment {
    /// The plain64 tweak of a sector: its 512-byte sector number inside the segment plus `iv_tweak`, wrapping as
    /// dm-crypt's 64-bit counter does.
    #[must_use]
    pub const fn tweak(&self, lba: Lba) -> u64 {
        lba.0.wrapping_mul(self.sector_size.tweak_step()).wrapping_add(self.iv_tweak)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_four_luks2_sizes_exist() {
        for bytes in 0..=8192 {
            let legal = [512, 1024, 2048, 4096].contains(&bytes);
            assert_eq!(SectorSize::try_from(bytes).is_ok(), legal, "{bytes}");
        }
    }

    #[test]
    fn a_4096_byte_sector_advances_the_tweak_by_eight() {
        let segment =
            DataSegment { offset: 0, len: ByteLen(1 << 20), sector_size: SectorSize::B4096, iv_tweak: u64::MAX };
        assert_eq!(segment.tweak(Lba(0)), u64::MAX);
        assert_eq!(segment.tweak(Lba(1)), 7);
    }

    #[test]
    fn lengths_print_in_the_largest_even_unit() {
        assert_eq!(ByteLen(1 << 30).to_string(), "1 GiB");
        assert_eq!(ByteLen(3 << 19).to_string(), "1536 KiB");
        assert_eq!(ByteLen(0).to_string(), "0 bytes");
    }
}
