//! Which engine does the work: chosen once, said with its reason, overridden by name.

use std::env;
use std::fmt;

use super::features::{Feature, Features};
#[cfg(target_arch = "x86_64")]
use super::simd::{Token, Width};

/// The environment variable that overrides the choice of engine, by its name.
pub const OVERRIDE: &str = "SEAR_CIPHER";

/// An XTS engine that Sear knows, whether or not this machine can run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EngineName {
    /// Four blocks in a 512-bit register: VAES and AVX-512.
    Vaes512,
    /// Two blocks in a 256-bit register: VAES and AVX2.
    Vaes256,
    /// One block in a 128-bit register: AES-NI and AVX2.
    AesNi,
    /// Whole data units at a time through the `aes` crate; runs everywhere.
    Portable,
    /// Single blocks through the `aes` and `xts-mode` crates, to compare with.
    XtsMode,
}

impl EngineName {
    /// Every engine, the preferred one first.
    pub const ALL: [Self; 5] = [Self::Vaes512, Self::Vaes256, Self::AesNi, Self::Portable, Self::XtsMode];

    /// The name, as [`OVERRIDE`] takes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vaes512 => "vaes512",
            Self::Vaes256 => "vaes256",
            Self::AesNi => "aesni",
            Self::Portable => "portable",
            Self::XtsMode => "xts-mode",
        }
    }
}

impl fmt::Display for EngineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An engine that this machine can run: holding one is the proof, for it comes from [`Features`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Engine(pub(super) Proof);

/// An engine with the token of the processor features that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    #[cfg(target_arch = "x86_64")]
    Simd(Token),
    Portable,
    XtsMode,
}

impl Engine {
    /// The named engine, if a processor with `features` can run it.
    #[must_use]
    pub fn new(name: EngineName, features: Features) -> Option<Self> {
        match name {
            EngineName::Portable => Some(Self(Proof::Portable)),
            EngineName::XtsMode => Some(Self(Proof::XtsMode)),
            #[cfg(target_arch = "x86_64")]
            EngineName::Vaes512 | EngineName::Vaes256 | EngineName::AesNi => {
                let width = Width::ALL.into_iter().find(|&width| name == width.into())?;
                Token::new(width, features).map(|token| Self(Proof::Simd(token)))
            }
            #[cfg(not(target_arch = "x86_64"))]
            EngineName::Vaes512 | EngineName::Vaes256 | EngineName::AesNi => None,
        }
    }

    /// Every engine that this machine can run, the preferred one first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::among(Features::detect())
    }

    /// Every engine that a processor with `features` can run, the preferred one first.
    pub fn among(features: Features) -> impl Iterator<Item = Self> {
        EngineName::ALL.into_iter().filter_map(move |name| Self::new(name, features))
    }

    /// The one that runs everywhere.
    #[must_use]
    pub const fn portable() -> Self {
        Self(Proof::Portable)
    }

    /// Which one it is.
    #[must_use]
    pub fn name(self) -> EngineName {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Proof::Simd(token) => token.width().into(),
            Proof::Portable => EngineName::Portable,
            Proof::XtsMode => EngineName::XtsMode,
        }
    }
}

#[cfg(target_arch = "x86_64")]
impl From<Width> for EngineName {
    fn from(width: Width) -> Self {
        match width {
            Width::Zmm => Self::Vaes512,
            Width::Ymm => Self::Vaes256,
            Width::Xmm => Self::AesNi,
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().fmt(f)
    }
}

/// What a processor with `features` lacks to run the named engine; nothing where it can, and nothing on an architecture
/// that the engine is not written for.
#[must_use]
pub fn missing(name: EngineName, features: Features) -> Vec<Feature> {
    let lacks = |feature: &Feature| !features.have(&[*feature]);
    needs(name).iter().copied().filter(lacks).collect()
}

#[cfg(target_arch = "x86_64")]
fn needs(name: EngineName) -> &'static [Feature] {
    Width::ALL.into_iter().find(|&width| name == width.into()).map_or(&[], Width::needs)
}

#[cfg(not(target_arch = "x86_64"))]
fn needs(_name: EngineName) -> &'static [Feature] {
    &[]
}

/// The engine chosen and why, for `sear doctor` and the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The engine.
    pub engine: Engine,
    /// Why this one, as a clause: "it is the fastest that this processor can run".
    pub why: &'static str,
}

/// Why no engine was chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEngine {
    /// A name that Sear does not know.
    #[error(
        "{origin} asks for the cipher engine {asked:?}, which does not exist; unset it or choose one of: {}",
        names()
    )]
    Unknown {
        /// What asks for it: [`OVERRIDE`] or a key of the configuration.
        origin: &'static str,
        /// The name.
        asked: String,
    },
    /// An engine that this processor cannot run.
    #[error(
        "{origin} asks for the cipher engine {asked}, which this processor cannot run; unset it or choose one of: {}",
        names_among(*.features)
    )]
    Unsupported {
        /// What asks for it.
        origin: &'static str,
        /// The engine.
        asked: EngineName,
        /// What the processor has.
        features: Features,
    },
}

/// The engine that [`OVERRIDE`] asks for, else the one that the configuration asks for, else the best one for this
/// processor. `configured` is the value of the configuration's key `cipher.engine`.
///
/// # Errors
/// When an engine is asked for that does not exist or that this processor cannot run.
pub fn choose(configured: Option<&str>) -> Result<Choice, NoEngine> {
    let from_environment = env::var_os(OVERRIDE).map(|value| value.to_string_lossy().into_owned());
    choose_from(Features::detect(), from_environment.as_deref(), configured)
}

/// [`choose`] for a processor with `features`, with the variable's value given.
///
/// # Errors
/// As [`choose`].
pub fn choose_from(
    features: Features,
    from_environment: Option<&str>,
    configured: Option<&str>,
) -> Result<Choice, NoEngine> {
    let asked = |origin, why, name: Option<&str>| {
        let name = name.filter(|name| !name.is_empty())?;
        Some(by_name(features, origin, name).map(|engine| Choice { engine, why }))
    };
    asked(OVERRIDE, "SEAR_CIPHER asks for it", from_environment)
        .or_else(|| asked("the configuration's cipher.engine", "the configuration asks for it", configured))
        .unwrap_or_else(|| Ok(best(features)))
}

fn by_name(features: Features, origin: &'static str, asked: &str) -> Result<Engine, NoEngine> {
    let name = EngineName::ALL.into_iter().find(|engine| engine.as_str() == asked);
    let name = name.ok_or_else(|| NoEngine::Unknown { origin, asked: asked.to_owned() })?;
    Engine::new(name, features).ok_or(NoEngine::Unsupported { origin, asked: name, features })
}

fn best(features: Features) -> Choice {
    let engine = Engine::among(features).next().unwrap_or(Engine::portable());
    let why = match engine.name() {
        EngineName::Portable if !aes::hardware_accelerated() => "this processor has no AES instructions",
        _ => "it is the fastest that this processor can run",
    };
    Choice { engine, why }
}

fn names() -> String {
    EngineName::ALL.map(EngineName::as_str).join(", ")
}

fn names_among(features: Features) -> String {
    Engine::among(features).map(|engine| engine.name().as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_override_the_first_engine_that_runs_is_chosen() {
        for unset in [None, Some("")] {
            let choice = choose_from(Features::detect(), unset, unset).unwrap();
            assert_eq!(Some(choice.engine), Engine::available().next());
        }
    }

    #[test]
    fn every_engine_can_be_asked_for_by_name_and_the_variable_goes_before_the_configuration() {
        for engine in Engine::available() {
            let name = engine.name().as_str();
            let choice = choose_from(Features::detect(), Some(name), Some("portable")).unwrap();
            assert_eq!(choice, Choice { engine, why: "SEAR_CIPHER asks for it" });
            let choice = choose_from(Features::detect(), None, Some(name)).unwrap();
            assert_eq!(choice, Choice { engine, why: "the configuration asks for it" });
        }
    }

    #[test]
    fn an_engine_runs_where_none_of_its_features_is_missing() {
        for name in EngineName::ALL {
            for lesser in Feature::ALL.map(|feature| Features::detect().without(feature)) {
                let runs = Engine::new(name, lesser).is_some();
                assert!(runs || cfg!(not(target_arch = "x86_64")) || !missing(name, lesser).is_empty(), "{name}");
                assert!(!runs || missing(name, lesser).is_empty(), "{name}");
            }
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let error = choose_from(Features::detect(), Some("vaes9000"), None).unwrap_err().to_string();
        assert_eq!(
            error,
            "SEAR_CIPHER asks for the cipher engine \"vaes9000\", which does not exist; \
             unset it or choose one of: vaes512, vaes256, aesni, portable, xts-mode"
        );
    }

    #[test]
    fn an_engine_that_the_processor_cannot_run_is_refused_with_those_it_can() {
        let bare = Feature::ALL.into_iter().fold(Features::detect(), Features::without);
        let error = choose_from(bare, None, Some("vaes512")).unwrap_err().to_string();
        assert_eq!(
            error,
            "the configuration's cipher.engine asks for the cipher engine vaes512, which this processor cannot run; \
             unset it or choose one of: portable, xts-mode"
        );
    }
}
