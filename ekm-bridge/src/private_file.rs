//! Files and directories that only their owner may touch, made so that a crash leaves all of them or nothing.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// Why a file or directory cannot be trusted to be private.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPrivate {
    /// Other accounts have access.
    #[error("its mode {mode:04o} lets other users in; run `chmod {wanted:04o}` on it after checking who had access")]
    Mode {
        /// Permission bits found.
        mode: u32,
        /// Permission bits expected.
        wanted: u32,
    },
    /// Somebody else owns it and can change it at will.
    #[error("it belongs to user id {owner}, not to user id {user} who runs this; run as its owner or `chown` it")]
    Owner {
        /// User id of the owner.
        owner: u32,
        /// Effective user id of this process.
        user: u32,
    },
    /// A directory, device, pipe or socket in the place of a file, or the reverse.
    #[error("it is not a {0}")]
    Kind(&'static str),
}

/// Checks a file that holds secrets: regular, owned by this user, no access for group or others.
pub(crate) fn check_file(meta: &Metadata) -> Result<(), NotPrivate> {
    if !meta.is_file() {
        return Err(NotPrivate::Kind("regular file"));
    }
    check_owner_and_mode(meta, 0o077, 0o600)
}

/// Checks the directory around such files: nobody else may replace what is in it. Listing it is harmless.
pub(crate) fn check_dir(meta: &Metadata) -> Result<(), NotPrivate> {
    if !meta.is_dir() {
        return Err(NotPrivate::Kind("directory"));
    }
    check_owner_and_mode(meta, 0o022, 0o700)
}

fn check_owner_and_mode(meta: &Metadata, forbidden: u32, wanted: u32) -> Result<(), NotPrivate> {
    let (owner, user) = (meta.uid(), rustix::process::geteuid().as_raw());
    if owner != user {
        return Err(NotPrivate::Owner { owner, user });
    }
    let mode = meta.mode() & 0o7777;
    if mode & forbidden != 0 {
        return Err(NotPrivate::Mode { mode, wanted });
    }
    Ok(())
}

/// Opens `path` for reading without following a symbolic link in its last part.
pub(crate) fn open_no_follow(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(no_follow()).open(path)
}

/// Opens or creates an empty file of mode 0600 for writing, not following a link.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(no_follow())
        .open(path)
}

fn no_follow() -> i32 {
    // Both constants are small positive bits in every Linux ABI, so the cast to the C type cannot change them.
    OFlags::NOFOLLOW.bits().cast_signed()
}

/// Reads at most `limit` bytes, so that a wrong file cannot fill the memory.
pub(crate) fn read_limited(file: &File, buf: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match (&mut &*file).read(rest)? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// Creates `path` with `bytes`, mode 0600: after a crash it is whole or absent. Fails with `AlreadyExists` rather
/// than replacing a file.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    written(path, bytes)?.publish()
}

/// Writes `path` with `bytes`, mode 0600: after a crash it is the new file, or whatever there was before.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    written(path, bytes)?.replace()
}

/// Writes zeros over all of a file, from its beginning, durably.
pub(crate) fn overwrite(file: &mut File) -> io::Result<()> {
    static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
    file.rewind()?;
    let mut left = file.metadata()?.len();
    while left > 0 {
        let len = usize::try_from(left).unwrap_or(ZEROS.len()).min(ZEROS.len());
        file.write_all(ZEROS.get(..len).unwrap_or_default())?;
        left -= len as u64;
    }
    file.sync_all()
}

/// A draft for `path` that holds `bytes` durably.
fn written(path: &Path, bytes: &[u8]) -> io::Result<Draft> {
    let draft = Draft::new(path)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft.path())?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(draft)
}

/// A file under construction beside its final place, removed unless it is published.
pub(crate) struct Draft {
    draft: PathBuf,
    target: PathBuf,
}

impl Draft {
    /// A name in the target's directory that nobody else uses.
    pub(crate) fn new(target: &Path) -> io::Result<Self> {
        let name = target.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no file name"))?;
        let draft = target.with_file_name(format!(".{}.{}.new", name.to_string_lossy(), uuid::Uuid::new_v4().simple()));
        Ok(Self { draft, target: target.to_owned() })
    }

    /// Where to build it. The caller creates the file there and syncs it.
    pub(crate) fn path(&self) -> &Path {
        &self.draft
    }

    /// Gives the finished file its name, durably. A hard link is used because it never replaces a file.
    pub(crate) fn publish(self) -> io::Result<()> {
        fs::hard_link(&self.draft, &self.target)?;
        fs::remove_file(&self.draft)?;
        sync_parent(&self.target)
    }

    /// Gives the finished file its name, durably, in the place of the file that may be there.
    pub(crate) fn replace(self) -> io::Result<()> {
        fs::rename(&self.draft, &self.target)?;
        sync_parent(&self.target)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Published drafts are gone already. A draft that stays behind was never used and may be deleted by hand.
        drop(fs::remove_file(&self.draft));
    }
}

/// Creates `path` with mode 0700 and missing parents with 0755, each made durable before the next.
pub(crate) fn create_dir_all(path: &Path) -> io::Result<()> {
    create_dir(path, 0o700)
}

fn create_dir(path: &Path, mode: u32) -> io::Result<()> {
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => sync_parent(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create_dir(parent(path).ok_or(error)?, 0o755)?;
            create_dir(path, mode)
        }
        Err(error) => Err(error),
    }
}

/// Makes the entry of `path` in its directory durable.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    File::open(parent(path).unwrap_or(Path::new("/")))?.sync_all()
}

/// The directory of `path`; "." for a bare name, `None` for the root.
fn parent(path: &Path) -> Option<&Path> {
    path.parent().map(|dir| if dir.as_os_str().is_empty() { Path::new(".") } else { dir })
}
