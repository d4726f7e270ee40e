//! A folder for the images, sockets and certificates of one section; it goes when it is dropped.

use std::error::Error;
use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::output;

/// Bytes that the LUKS headers take before an image's data.
const HEADER_LEN: u64 = 16 << 20;
/// What the LUKS1 peers are opened with. Nothing of value is behind it.
pub(crate) const PASSPHRASE: &str = "passphrase of the comparison";

/// What an image holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Image {
    /// The bytes themselves.
    Plain,
    /// AES-256-XTS under a LUKS1 header: the format that the encrypted peers read.
    Luks1,
    /// The same cipher under Sear's LUKS2 header; Sear makes it.
    Sear,
}

/// The folder.
pub(crate) struct Scratch {
    folder: TempDir,
    image_len: u64,
}

impl Scratch {
    /// Makes the folder below `parent`, for images that offer `image_len` bytes.
    ///
    /// # Errors
    /// When there is no such place, or it is not writable.
    pub(crate) fn new(parent: &Path, image_len: u64) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        let folder = tempfile::Builder::new().prefix("compare-nbd-").tempdir_in(parent)?;
        // The TLS load runs as another user, who must get at the authority's certificate.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o711))?;
        Ok(Self { folder, image_len })
    }

    /// A place in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Bytes that each image offers.
    pub(crate) const fn image_len(&self) -> u64 {
        self.image_len
    }

    /// Where an image is.
    pub(crate) fn image(&self, image: Image) -> PathBuf {
        self.path(match image {
            Image::Plain => "plain.img",
            Image::Luks1 => "luks1.img",
            Image::Sear => "sear.img",
        })
    }

    /// The file with the passphrase of [`Image::Luks1`].
    pub(crate) fn passphrase(&self) -> PathBuf {
        self.path("passphrase")
    }

    /// Makes the image if it is not there. Its blocks are all allocated and hold no zeroes.
    ///
    /// # Errors
    /// When there is no room, or `cryptsetup` is missing or fails.
    pub(crate) fn provide(&self, image: Image) -> Result<(), Box<dyn Error>> {
        let path = self.image(image);
        if image == Image::Sear || path.exists() {
            return Ok(());
        }
        fill(&path, self.image_len + HEADER_LEN)?;
        if image == Image::Luks1 {
            fs::write(self.passphrase(), PASSPHRASE)?;
            let mut format = Command::new("cryptsetup");
            format.args(["luksFormat", "--batch-mode", "--type=luks1", "--cipher=aes-xts-plain64", "--key-size=512"]);
            format.args(["--hash=sha256", "--pbkdf-force-iterations=1000", "--key-file"]);
            output(format.arg(self.passphrase()).arg(path))?;
        }
        Ok(())
    }
}

/// Writes a new file of numbers that do not repeat.
fn fill(path: &Path, len: u64) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create_new(path)?);
    for number in 0..len / 8 {
        file.write_all(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes())?;
    }
    file.into_inner()?.sync_all()
}
