//! Proof that this processor has the instructions of an engine.

use crate::cipher::features::{Feature, Features};

/// Which register width the processor was found to support. Only [`Token::new`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cipher) struct Token(Width);

/// The width of the registers that an engine uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cipher) enum Width {
    /// 128 bits.
    Xmm,
    /// 256 bits.
    Ymm,
    /// 512 bits.
    Zmm,
}

impl Width {
    /// Every width.
    pub(in crate::cipher) const ALL: [Self; 3] = [Self::Zmm, Self::Ymm, Self::Xmm];

    /// What an engine of this width needs.
    pub(in crate::cipher) const fn needs(self) -> &'static [Feature] {
        use Feature::{Aes, Avx2, Avx512bw, Avx512f, Pclmulqdq, Vaes, Vpclmulqdq};
        match self {
            Self::Xmm => &[Aes, Pclmulqdq, Avx2],
            Self::Ymm => &[Aes, Pclmulqdq, Avx2, Vaes, Vpclmulqdq],
            Self::Zmm => &[Aes, Pclmulqdq, Avx2, Vaes, Vpclmulqdq, Avx512f, Avx512bw],
        }
    }
}

impl Token {
    /// A token if the processor has all that engines of this width need.
    pub(in crate::cipher) fn new(width: Width, features: Features) -> Option<Self> {
        features.have(width.needs()).then_some(Self(width))
    }

    /// The width it was made for.
    pub(in crate::cipher) const fn width(self) -> Width {
        self.0
    }
}
