//! Which engine does the work: chosen once, said with its reason, overridden by an environment variable.

use std::env;
use std::fmt;

/// The environment variable that overrides the choice of engine, by its name.
pub const OVERRIDE: &str = "SEAR_CIPHER";

/// An XTS engine that this program has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineName {
    /// Whole data units at a time through the `aes` crate; runs everywhere.
    Portable,
    /// Single blocks through the `aes` and `xts-mode` crates, to compare with.
    XtsMode,
}

impl EngineName {
    /// Every engine, the preferred one first.
    pub const ALL: [Self; 2] = [Self::Portable, Self::XtsMode];

    /// The name, as [`OVERRIDE`] takes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
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

/// The engine chosen and why, for `sear doctor` and the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The engine.
    pub engine: EngineName,
    /// Why this one, as a clause: "it uses the AES instructions of this processor".
    pub why: &'static str,
}

/// [`OVERRIDE`] names no engine of this program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{OVERRIDE}={asked} names no cipher engine; unset it or choose one of: {}", names())]
pub struct UnknownEngine {
    /// What the variable says.
    pub asked: String,
}

/// The engine that [`OVERRIDE`] asks for, or the best one for this processor.
///
/// # Errors
/// When the variable is set to a name that no engine has.
pub fn choose() -> Result<Choice, UnknownEngine> {
    choose_from(env::var_os(OVERRIDE).map(|value| value.to_string_lossy().into_owned()))
}

/// [`choose`], with the override given.
fn choose_from(asked: Option<String>) -> Result<Choice, UnknownEngine> {
    match asked.filter(|name| !name.is_empty()) {
        None if aes::hardware_accelerated() => {
            Ok(Choice { engine: EngineName::Portable, why: "it uses the AES instructions of this processor" })
        }
        None => Ok(Choice { engine: EngineName::Portable, why: "this processor has no AES instructions" }),
        Some(name) => match EngineName::ALL.into_iter().find(|engine| engine.as_str() == name) {
            Some(engine) => Ok(Choice { engine, why: "SEAR_CIPHER asks for it" }),
            None => Err(UnknownEngine { asked: name }),
        },
    }
}

fn names() -> String {
    EngineName::ALL.map(EngineName::as_str).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_override_the_portable_engine_is_chosen() {
        for unset in [None, Some(String::new())] {
            assert_eq!(choose_from(unset).unwrap().engine, EngineName::Portable);
        }
    }

    #[test]
    fn every_engine_can_be_asked_for_by_name() {
        for engine in EngineName::ALL {
            let choice = choose_from(Some(engine.to_string())).unwrap();
            assert_eq!(choice, Choice { engine, why: "SEAR_CIPHER asks for it" });
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let error = choose_from(Some("vaes9000".into())).unwrap_err().to_string();
        assert_eq!(error, "SEAR_CIPHER=vaes9000 names no cipher engine; unset it or choose one of: portable, xts-mode");
    }
}
