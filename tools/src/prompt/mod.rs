//! Questions to a person, asked on the terminal even when standard input is redirected.

mod line;
mod terminal;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use ekm_bridge::rpc::types::places::SecretBase64;
use keywrap::secret::SecretBytes;
use serde_json::Value;
use subtle::ConstantTimeEq;

use crate::error::Error;
use terminal::Terminal;

/// The longest key file, as cryptsetup limits it by default.
const MAX_FILE: usize = 8 << 20;

/// The longest passphrase that a request to a daemon holds.
const MAX_TOLD: usize = 128 << 10;

/// Where a passphrase comes from.
#[derive(Args, Debug)]
pub(crate) struct PassphraseArgs {
    /// Read the passphrase from FILE instead of asking ("-": standard input). Every byte counts, a final newline too,
    /// as with cryptsetup --key-file
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

impl PassphraseArgs {
    /// An existing passphrase, asked for once.
    ///
    /// # Errors
    /// When the file cannot be read, or there is no terminal to ask on.
    pub(crate) fn existing(&self, question: &str) -> Result<SecretBytes, Error> {
        match &self.passphrase_file {
            Some(path) => from_file(path),
            None => Terminal::open()?.ask_secret(question),
        }
    }

    /// An existing passphrase as a parameter of the daemon's API.
    ///
    /// # Errors
    /// As [`Self::existing`], and when it is too long for a request.
    pub(crate) fn told(&self, question: &str) -> Result<Value, Error> {
        self.as_parameter(&self.existing(question)?)
    }

    /// A new passphrase as such a parameter.
    ///
    /// # Errors
    /// As [`Self::new_one`], and when it is too long for a request.
    pub(crate) fn new_one_told(&self, question: &str) -> Result<Value, Error> {
        self.as_parameter(&self.new_one(question)?)
    }

    fn as_parameter(&self, passphrase: &SecretBytes) -> Result<Value, Error> {
        if passphrase.expose_secret().len() > MAX_TOLD {
            let path = self.passphrase_file.clone().unwrap_or_default();
            return Err(Error::PassphraseTooLong { path, limit: MAX_TOLD });
        }
        serde_json::to_value(SecretBase64::of(passphrase.expose_secret())).map_err(Error::Json)
    }

    /// A new passphrase: asked for twice, never empty.
    ///
    /// # Errors
    /// As [`Self::existing`]; also when the two differ or nothing was typed.
    pub(crate) fn new_one(&self, question: &str) -> Result<SecretBytes, Error> {
        let passphrase = match &self.passphrase_file {
            Some(path) => from_file(path)?,
            None => ask_twice(question)?,
        };
        if passphrase.expose_secret().is_empty() {
            return Err(Error::EmptyPassphrase);
        }
        Ok(passphrase)
    }
}

/// Asks for a line that is no secret, such as a confirmation.
///
/// # Errors
/// When there is no terminal to ask on.
pub(crate) fn ask(question: &str) -> Result<String, Error> {
    Terminal::open()?.ask(question)
}

fn ask_twice(question: &str) -> Result<SecretBytes, Error> {
    let mut terminal = Terminal::open()?;
    let first = terminal.ask_secret(question)?;
    let second = terminal.ask_secret("Again: ")?;
    if bool::from(first.expose_secret().ct_eq(second.expose_secret())) {
        Ok(first)
    } else {
        Err(Error::PassphrasesDiffer)
    }
}

fn from_file(path: &Path) -> Result<SecretBytes, Error> {
    let read = if path == Path::new("-") {
        read_limited(std::io::stdin().lock())
    } else {
        File::open(path).and_then(read_limited)
    };
    let passphrase = read.map_err(Error::io("read the passphrase from", path))?;
    passphrase.ok_or_else(|| Error::PassphraseTooLong { path: path.to_owned(), limit: MAX_FILE })
}

/// Reads into one buffer of the largest legal size, so that no reallocation leaves a copy behind. `None`: too long.
fn read_limited(mut source: impl Read) -> io::Result<Option<SecretBytes>> {
    let mut buf = SecretBytes::zeroed(MAX_FILE + 1);
    let mut filled = 0;
    while let Some(rest) = buf.expose_secret_mut().get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match source.read(rest)? {
            0 => break,
            count => filled += count,
        }
    }
    let bytes = buf.expose_secret().get(..filled).unwrap_or_default();
    Ok((filled <= MAX_FILE).then(|| SecretBytes::copy_from(bytes)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// The arguments that name a file with these bytes, and the file, which goes when it is dropped.
    fn file_with(bytes: &[u8]) -> (PassphraseArgs, tempfile::TempPath) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let path = file.into_temp_path();
        (PassphraseArgs { passphrase_file: Some(path.to_path_buf()) }, path)
    }

    #[test]
    fn every_byte_of_a_passphrase_file_counts() {
        let (args, _file) = file_with(b"secret\n");
        assert_eq!(args.existing("").ok().unwrap().expose_secret(), b"secret\n");
    }

    #[test]
    fn an_empty_passphrase_cannot_be_set() {
        let (args, _file) = file_with(b"");
        assert!(matches!(args.new_one(""), Err(Error::EmptyPassphrase)));
    }

    #[test]
    fn a_passphrase_file_may_be_eight_mebibytes_and_no_more() {
        let (args, _file) = file_with(&vec![b'x'; MAX_FILE]);
        assert!(args.existing("").is_ok());
        let (args, _file) = file_with(&vec![b'x'; MAX_FILE + 1]);
        let error = args.existing("").err().unwrap();
        assert!(matches!(error, Error::PassphraseTooLong { .. }));
    }
}
