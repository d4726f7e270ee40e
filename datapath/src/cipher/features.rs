//! What the processor can do. A set of features is only ever found, never made up, so holding one proves something.

use std::fmt;

/// A feature of the processor that an engine needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Feature {
    /// AES rounds on 128-bit registers.
    Aes,
    /// Carry-less multiplication on 128-bit registers.
    Pclmulqdq,
    /// Three-operand instructions on 256-bit registers.
    Avx2,
    /// AES rounds on wider registers.
    Vaes,
    /// Carry-less multiplication on wider registers.
    Vpclmulqdq,
    /// 512-bit registers, and thirty-two of them.
    Avx512f,
    /// Byte granularity on 512-bit registers.
    Avx512bw,
}

impl Feature {
    /// Every feature that matters here.
    pub const ALL: [Self; 7] =
        [Self::Aes, Self::Pclmulqdq, Self::Avx2, Self::Vaes, Self::Vpclmulqdq, Self::Avx512f, Self::Avx512bw];

    /// The name, as Linux prints it in `/proc/cpuinfo`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aes => "aes",
            Self::Pclmulqdq => "pclmulqdq",
            Self::Avx2 => "avx2",
            Self::Vaes => "vaes",
            Self::Vpclmulqdq => "vpclmulqdq",
            Self::Avx512f => "avx512f",
            Self::Avx512bw => "avx512bw",
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn detected(self) -> bool {
        match self {
            Self::Aes => is_x86_feature_detected!("aes"),
            Self::Pclmulqdq => is_x86_feature_detected!("pclmulqdq"),
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            Self::Vaes => is_x86_feature_detected!("vaes"),
            Self::Vpclmulqdq => is_x86_feature_detected!("vpclmulqdq"),
            Self::Avx512f => is_x86_feature_detected!("avx512f"),
            Self::Avx512bw => is_x86_feature_detected!("avx512bw"),
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn detected(self) -> bool {
        false
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Features that this processor was found to have. Some may be left out on purpose; none can be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features(u8);

impl Features {
    /// What this processor has.
    #[must_use]
    pub fn detect() -> Self {
        Self(Feature::ALL.into_iter().filter(|feature| feature.detected()).fold(0, |bits, feature| bits | bit(feature)))
    }

    /// The same without `feature`, as if this were a lesser processor.
    #[must_use]
    pub const fn without(self, feature: Feature) -> Self {
        Self(self.0 & !bit(feature))
    }

    /// Whether all of `needed` are there.
    #[must_use]
    pub fn have(self, needed: &[Feature]) -> bool {
        needed.iter().all(|&feature| self.0 & bit(feature) != 0)
    }
}

const fn bit(feature: Feature) -> u8 {
    1 << feature as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_left_out_is_not_there() {
        let all = Features::detect();
        for feature in Feature::ALL {
            assert!(!all.without(feature).have(&[feature]));
            for other in Feature::ALL.into_iter().filter(|&other| other != feature) {
                assert_eq!(all.without(feature).have(&[other]), all.have(&[other]));
            }
        }
        assert!(all.have(&[]));
    }
}
