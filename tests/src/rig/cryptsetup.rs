//! `cryptsetup`, working on plain files without device-mapper.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::run::{Failure, Run};

/// A passphrase in a file, and the LUKS2 operations that use it.
pub struct Cryptsetup {
    key_file: PathBuf,
}

impl Cryptsetup {
    /// Opens keyslots with what `key_file` holds, byte for byte.
    #[must_use]
    pub fn with_key_file(key_file: PathBuf) -> Self {
        Self { key_file }
    }

    /// The file with the passphrase.
    #[must_use]
    pub fn key_file(&self) -> &Path {
        &self.key_file
    }

    /// `cryptsetup ... --key-file FILE`, ready for a verb.
    #[must_use]
    pub fn run(&self) -> Run {
        Run::new("cryptsetup").args(["--batch-mode", "--disable-locks"]).arg("--key-file").arg(&self.key_file)
    }

    /// Formats `header` as LUKS2 with AES-XTS, more options in `words`.
    pub fn format(&self, header: &Path, sector_size: u32, words: &str) {
        self.run()
            .words("luksFormat --type luks2 --cipher aes-xts-plain64 --key-size 512")
            .args(["--sector-size", &sector_size.to_string()])
            .words(words)
            .arg(header)
            .ok();
    }

    /// Encrypts the plaintext in `data` in place. Attached: the header takes 32 MiB from its end.
    pub fn encrypt_in_place(&self, data: &Path, sector_size: u32, header: Option<&Path>) {
        let run = self
            .run()
            .words("reencrypt --encrypt --type luks2 --cipher aes-xts-plain64 --key-size 512 --force-offline-reencrypt")
            .words("--pbkdf pbkdf2 --pbkdf-force-iterations 1000")
            .args(["--sector-size", &sector_size.to_string()]);
        match header {
            Some(header) => run.arg("--header").arg(header).arg(data).ok(),
            None => run.words("--reduce-device-size 32M").arg(data).ok(),
        };
    }

    /// Decrypts `data` in place; `header` is the detached header, or a new file that takes the attached one.
    pub fn decrypt_in_place(&self, data: &Path, header: &Path) {
        self.run().words("reencrypt --decrypt --force-offline-reencrypt").arg("--header").arg(header).arg(data).ok();
    }

    /// Whether the key opens a keyslot of the header.
    pub fn opens(&self, header: &Path) -> bool {
        self.run().words("open --test-passphrase").arg(header).succeeds()
    }

    /// The key must not open any keyslot of the header.
    pub fn refuses(&self, header: &Path) -> Failure {
        self.run().words("open --test-passphrase").arg(header).fails()
    }

    /// The JSON area of a header, as cryptsetup reads it.
    ///
    /// # Panics
    /// When cryptsetup does not read it.
    #[must_use]
    pub fn metadata(header: &Path) -> Value {
        let text = Run::new("cryptsetup").words("luksDump --dump-json-metadata").arg(header).ok();
        serde_json::from_str(&text).expect("cryptsetup prints JSON")
    }
}
