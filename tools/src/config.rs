//! The configuration: one optional TOML file. `docs/configuration.md` names its keys.
//!
//! A section is a struct, a key a field that is `None` until the file sets it. What a key means is checked where it is
//! used; here is only the file's form.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use datapath::cipher::dispatch::{self, Choice, NoEngine};
use serde::Deserialize;

use crate::daemon::Section;
use crate::state::StatePath;

/// The environment variable that names the file.
pub(crate) const VARIABLE: &str = "SEAR_CONFIG";
/// The file's name in a state directory.
const IN_STATE_DIR: &str = "config.toml";
/// The file of the machine.
pub(crate) const OF_THE_MACHINE: &str = "/etc/sear/config.toml";
/// More than any configuration has.
const MAX_LEN: u64 = 1 << 20;

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is no configuration.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// The engine that the file asks for cannot be used.
    #[error("{}", path.display())]
    Engine {
        /// The file.
        path: PathBuf,
        /// Why not; names the key.
        source: NoEngine,
    },
}

/// What the file says. Every key may be missing.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Keys {
    cipher: Cipher,
    daemon: Section,
    hardening: Hardening,
}

/// `[cipher]`
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Cipher {
    /// The engine's name; empty is as good as missing.
    engine: Option<String>,
}

/// `[hardening]`
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Hardening {
    sandbox: Sandbox,
}

/// Whether a server confines itself before it says that it is ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sandbox {
    /// As far as the machine allows.
    #[default]
    On,
    /// Not at all: for whoever looks for a mistake.
    Off,
}

/// The configuration of this run; without a file, every key is at its default.
#[derive(Debug, Default)]
pub(crate) struct Config {
    path: Option<PathBuf>,
    keys: Keys,
}

impl Config {
    /// Reads the file that is `chosen`, which must exist; else the one in the state directory, else the one of the
    /// machine. The first that exists counts alone.
    ///
    /// # Errors
    /// When the file cannot be read, is no TOML, or has a key that Sear does not know.
    pub(crate) fn load(chosen: Option<&Path>, state: Option<&StatePath>) -> Result<Self, ConfigError> {
        if let Some(path) = chosen {
            return Self::read(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        }
        let in_state_dir = state.map(|state| state.path().join(IN_STATE_DIR));
        for path in in_state_dir.into_iter().chain([PathBuf::from(OF_THE_MACHINE)]) {
            match Self::read(&path) {
                Ok(config) => return config,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(ConfigError::Read { path, source }),
            }
        }
        Ok(Self::default())
    }

    fn read(path: &Path) -> io::Result<Result<Self, ConfigError>> {
        let mut text = String::new();
        File::open(path)?.take(MAX_LEN + 1).read_to_string(&mut text)?;
        if text.len() as u64 > MAX_LEN {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("longer than {MAX_LEN} bytes")));
        }
        Ok(Self::parse(path, &text))
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let keys = toml::from_str(text).map_err(|error| syntax(path, text, error))?;
        Ok(Self { path: Some(path.to_owned()), keys })
    }

    /// The file that was read, if there is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The cipher engine for this run: what the environment asks for, else what the file asks for, else the best.
    ///
    /// # Errors
    /// When an engine is asked for that does not exist or that this processor cannot run.
    pub(crate) fn engine(&self) -> Result<Choice, crate::error::Error> {
        dispatch::choose(self.keys.cipher.engine.as_deref()).map_err(|source| match &self.path {
            Some(path) if !is_from_environment(&source) => ConfigError::Engine { path: path.clone(), source }.into(),
            _ => source.into(),
        })
    }

    /// `[daemon]`.
    pub(crate) fn daemon(&self) -> &Section {
        &self.keys.daemon
    }

    /// Whether a server confines itself.
    pub(crate) fn sandbox(&self) -> Sandbox {
        self.keys.hardening.sandbox
    }
}

fn is_from_environment(error: &NoEngine) -> bool {
    let (NoEngine::Unknown { origin, .. } | NoEngine::Unsupported { origin, .. }) = error;
    *origin == dispatch::OVERRIDE
}

/// The parser's words on one line. It tells the path of a key only when it does not have the text.
fn syntax(path: &Path, text: &str, mut error: toml::de::Error) -> ConfigError {
    let (line, column) = position(text, error.span().map_or(0, |span| span.start));
    error.set_input(None);
    let words = error.to_string().replace("unknown field", "unknown key");
    let message = words.lines().collect::<Vec<_>>().join(" ");
    ConfigError::Syntax { path: path.to_owned(), line, column, message }
}

/// Line and column of a byte, both from 1.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before.chars().count() - before[..line_start].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Keys, String> {
        Config::parse(Path::new("c.toml"), text).map(|config| config.keys).map_err(|error| error.to_string())
    }

    #[test]
    fn every_key_may_be_missing() {
        for text in ["", "# nothing\n", "[cipher]\n", "[hardening]\n"] {
            assert_eq!(parse(text), Ok(Keys::default()), "{text:?}");
        }
        let keys = parse("[cipher]\nengine = \"aesni\"").unwrap();
        assert_eq!(keys.cipher.engine.as_deref(), Some("aesni"));
        assert_eq!(keys.hardening.sandbox, Sandbox::On);
        assert_eq!(parse("[hardening]\nsandbox = \"off\"").unwrap().hardening.sandbox, Sandbox::Off);
    }

    #[test]
    fn what_is_wrong_is_told_with_file_line_column_and_key() {
        for (text, words) in [
            ("\n[cipher]\n  engin = \"aesni\"", &["c.toml:3:3: unknown key `engin`, expected `engine`"][..]),
            ("[chiper]\n", &["c.toml:1:2: unknown key `chiper`, expected one of `cipher`, `daemon`, `hardening`"]),
            ("[hardening]\nsandbox = \"none\"", &["c.toml:2:11: ", "expected `on` or `off`"]),
            ("[cipher]\nengine = 3", &["c.toml:2:10: ", "expected a string", "in `cipher.engine`"]),
            ("[cipher]\nengine = \"a", &["c.toml:2:1"]),
            ("[daemon]\napi = [\"here\"]", &["c.toml:2:8: ", "invalid socket address"]),
            ("[daemon]\nnbd = [\"tcp:h:1\", \"x\"]", &["c.toml:2:19: "]),
            ("[daemon]\ngrace = 1", &["c.toml:2:1: unknown key `grace`", "`key-grace-seconds`"]),
            ("[cipher]\nengine = 'a'\nengine = 'b'", &["c.toml:3:1: duplicate key"]),
        ] {
            let error = parse(text).unwrap_err();
            for word in words {
                assert!(error.contains(word), "no {word:?} in {error}");
            }
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_position_counts_characters_from_one() {
        for (text, byte, place) in [("", 0, (1, 1)), ("ab", 1, (1, 2)), ("é\nüx", 5, (2, 2)), ("a\n", 2, (2, 1))] {
            assert_eq!(position(text, byte), place, "{text:?}");
        }
        assert_eq!(position("ab", 99), (1, 3), "past the end is at the end");
    }

    #[test]
    fn a_file_that_is_named_must_exist_and_be_of_sane_length() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.toml");
        assert!(matches!(Config::load(Some(&path), None), Err(ConfigError::Read { .. })));
        std::fs::write(&path, vec![b'\n'; (1 << 20) + 1]).unwrap();
        let error = Config::load(Some(&path), None).unwrap_err();
        assert!(matches!(&error, ConfigError::Read { source, .. } if source.kind() == io::ErrorKind::FileTooLarge));
        std::fs::write(&path, [0xff]).unwrap();
        assert!(matches!(Config::load(Some(&path), None), Err(ConfigError::Read { .. })));
    }
}
