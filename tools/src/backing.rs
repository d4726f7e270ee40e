//! The files and devices that volumes live on: opened without surprises, made without overwriting.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use keywrap::medium::Medium;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use rustix::fs::OFlags;

use crate::error::Error;

/// What is done with a backing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing is written.
    Read,
    /// Written too; a block device is claimed, so that one that is mounted is refused.
    Write,
}

/// An open regular file or block device.
#[derive(Debug)]
pub(crate) struct Backing {
    /// Absolute, symbolic links resolved.
    pub(crate) path: PathBuf,
    /// The open file.
    pub(crate) file: File,
    /// Length in bytes when it was opened.
    pub(crate) len: u64,
}

impl Backing {
    /// Opens what is at `path`.
    ///
    /// # Errors
    /// [`Error::Missing`] when nothing is there, [`Error::NotABacking`] for directories, character devices and the
    /// like, [`Error::Busy`] for a claimed device, or the system's refusal.
    pub(crate) fn open(path: &Path, access: Access) -> Result<Self, Error> {
        Self::open_as(path, access, true)
    }

    /// Opens once more what this process has open already: a block device that it has claimed is not refused.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn open_again(path: &Path, access: Access) -> Result<Self, Error> {
        Self::open_as(path, access, false)
    }

    fn open_as(path: &Path, access: Access, claims: bool) -> Result<Self, Error> {
        let path = fs::canonicalize(path).map_err(|error| missing_or(error, path))?;
        let is_device = check_kind(&path)?;
        let mut options = OpenOptions::new();
        options.read(true).write(access == Access::Write);
        if is_device && access == Access::Write && claims {
            // Without O_CREAT, O_EXCL claims a block device as mount(2) does (open(2)).
            options.custom_flags(OFlags::EXCL.bits().cast_signed());
        }
        let file = options.open(&path).map_err(|error| busy_or(error, &path))?;
        if is_device && access == Access::Write {
            check_writable(&file).map_err(Error::io("open", &path))?;
        }
        let len = Medium::len(&file).map_err(Error::io("measure", &path))?;
        Ok(Self { path, file, len })
    }

    /// Keeps others from the backing until it is closed, whatever state directory they use: an open file description
    /// lock (fcntl(2)) on all of it, shared for [`Access::Read`]. QEMU locks its images alike and is kept away too;
    /// cryptsetup locks with flock(2) and is not.
    ///
    /// # Errors
    /// [`Error::Claimed`] when someone else has claimed it. A filesystem without locks is no error.
    pub(crate) fn claim(&self, access: Access) -> Result<(), Error> {
        let kind = match access {
            Access::Read => libc::F_RDLCK,
            Access::Write => libc::F_WRLCK,
        };
        match fcntl(&self.file, FcntlArg::F_OFD_SETLK(&whole_file(kind))) {
            Ok(_) => Ok(()),
            Err(Errno::EAGAIN | Errno::EACCES) => Err(Error::Claimed { path: self.path.clone() }),
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "the backing cannot be locked against others");
                Ok(())
            }
        }
    }

    /// Whether something is at `path`, a dangling symbolic link included.
    pub(crate) fn exists(path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok()
    }

    /// Makes an empty backing longer, sparse.
    ///
    /// # Errors
    /// The system's refusal, such as a full disk or a file size limit.
    pub(crate) fn grow(&mut self, len: u64) -> Result<(), Error> {
        self.file.set_len(len).map_err(Error::io("set the length of", &self.path))?;
        self.len = len;
        Ok(())
    }

    /// Writes zeroes over `len` bytes from `offset`, as far as the backing reaches.
    ///
    /// # Errors
    /// The system's refusal.
    pub(crate) fn zero(&self, offset: u64, len: u64) -> Result<(), Error> {
        static CHUNK: [u8; 1 << 16] = [0; 1 << 16];
        let end = offset.saturating_add(len).min(self.len);
        let mut at = offset;
        while at < end {
            let count = usize::try_from(end - at).map_or(CHUNK.len(), |left| left.min(CHUNK.len()));
            let part = CHUNK.get(..count).unwrap_or_default();
            self.file.write_all_at(part, at).map_err(Error::io("clear", &self.path))?;
            at += count as u64;
        }
        Ok(())
    }
}

/// Gives a claim back before the file is closed: the kernel may hold a file of a ring open for longer.
///
/// # Errors
/// The system's refusal.
pub(crate) fn release(file: &File) -> io::Result<()> {
    fcntl(file, FcntlArg::F_OFD_SETLK(&whole_file(libc::F_UNLCK)))?;
    Ok(())
}

/// A lock from the first byte to the end, wherever that will be.
#[expect(clippy::cast_possible_truncation, reason = "the constants are 0 to 2, of another type than the field")]
const fn whole_file(kind: libc::c_int) -> libc::flock {
    libc::flock { l_type: kind as i16, l_whence: libc::SEEK_SET as i16, l_start: 0, l_len: 0, l_pid: 0 }
}

/// A file under construction: removed again unless [`NewFile::keep`] is called.
#[derive(Debug)]
pub(crate) struct NewFile {
    path: PathBuf,
    kept: bool,
}

impl NewFile {
    /// Makes a sparse file of `len` bytes, mode 0600, where nothing was.
    ///
    /// # Errors
    /// [`Error::OutputExists`] when something is there, or the system's refusal; nothing is left behind then.
    pub(crate) fn create(path: &Path, len: u64) -> Result<(Self, Backing), Error> {
        let made = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path);
        let file = made.map_err(|error| exists_or(error, path))?;
        let guard = Self { path: path.to_owned(), kept: false };
        let path = fs::canonicalize(path).map_err(Error::io("find", path))?;
        let mut backing = Backing { path, file, len: 0 };
        backing.grow(len)?;
        Ok((guard, backing))
    }

    /// Makes the file and its name durable and leaves it there.
    ///
    /// # Errors
    /// When the file or its directory cannot be synced; the file is removed then.
    pub(crate) fn keep(mut self, file: &File) -> Result<(), Error> {
        file.sync_all().map_err(Error::io("sync", &self.path))?;
        sync_parent(&self.path)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.kept {
            // The error that led here is reported; a file that stays behind holds nothing yet.
            let _left_behind = fs::remove_file(&self.path);
        }
    }
}

/// Makes the directory entry of `path` durable.
fn sync_parent(path: &Path) -> Result<(), Error> {
    let parent = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("/"),
    };
    File::open(parent).and_then(|dir| dir.sync_all()).map_err(Error::io("sync", parent))
}

/// Whether `path` is a block device; an error when it is neither that nor a regular file.
fn check_kind(path: &Path) -> Result<bool, Error> {
    let kind = fs::metadata(path).map_err(Error::io("look at", path))?.file_type();
    let wrong = match () {
        () if kind.is_file() => return Ok(false),
        () if kind.is_block_device() => return Ok(true),
        () if kind.is_dir() => "a directory",
        () if kind.is_char_device() => "a character device",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "of an unknown kind",
    };
    Err(Error::NotABacking { path: path.to_owned(), kind: wrong })
}

/// Linux opens a read-only block device for writing and fails only the writes, so we ask sysfs
/// (`Documentation/ABI/stable/sysfs-block`). A device that it does not describe is taken as writable.
fn check_writable(device: &File) -> io::Result<()> {
    let number = device.metadata()?.rdev();
    let (major, minor) = (rustix::fs::major(number), rustix::fs::minor(number));
    match fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/ro")) {
        Ok(flag) if flag.trim() == "1" => {
            Err(io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "the device is read-only; serve it with --read-only"))
        }
        _ => Ok(()),
    }
}

fn missing_or(error: io::Error, path: &Path) -> Error {
    match error.kind() {
        io::ErrorKind::NotFound => Error::Missing { path: path.to_owned() },
        _ => Error::io("open", path)(error),
    }
}

fn exists_or(error: io::Error, path: &Path) -> Error {
    match error.kind() {
        io::ErrorKind::AlreadyExists => Error::OutputExists { path: path.to_owned() },
        _ => Error::io("create", path)(error),
    }
}

fn busy_or(error: io::Error, path: &Path) -> Error {
    match error.kind() {
        io::ErrorKind::ResourceBusy => Error::Busy { path: path.to_owned() },
        _ => Error::io("open", path)(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_new_file_is_private_sparse_and_removed_unless_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk");
        let (guard, backing) = NewFile::create(&path, 1 << 30).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(backing.len, 1 << 30);
        drop(guard);
        assert!(!path.exists());
        let (guard, backing) = NewFile::create(&path, 4096).unwrap();
        guard.keep(&backing.file).unwrap();
        assert!(path.exists());
    }

    #[test]
    fn a_file_that_exists_is_neither_replaced_nor_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk");
        fs::write(&path, b"precious").unwrap();
        assert!(matches!(NewFile::create(&path, 4096), Err(Error::OutputExists { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }

    #[test]
    fn what_cannot_hold_a_volume_is_named() {
        let dir = tempfile::tempdir().unwrap();
        for (path, kind) in [(dir.path(), "a directory"), (Path::new("/dev/null"), "a character device")] {
            let error = Backing::open(path, Access::Read).unwrap_err();
            assert!(matches!(error, Error::NotABacking { kind: found, .. } if found == kind), "{error}");
        }
        let error = Backing::open(&dir.path().join("none"), Access::Read).unwrap_err();
        assert!(matches!(error, Error::Missing { .. }), "{error}");
    }

    #[test]
    fn a_claim_keeps_writers_away_and_readers_share() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk");
        fs::write(&path, b"data").unwrap();
        let open = |access| Backing::open(&path, access).unwrap();
        let (reader, other_reader, writer) = (open(Access::Read), open(Access::Read), open(Access::Write));
        reader.claim(Access::Read).unwrap();
        other_reader.claim(Access::Read).unwrap();
        assert!(matches!(writer.claim(Access::Write), Err(Error::Claimed { .. })));
        drop((reader, other_reader));
        writer.claim(Access::Write).unwrap();
        assert!(matches!(open(Access::Read).claim(Access::Read), Err(Error::Claimed { .. })));
    }

    #[test]
    fn clearing_stays_inside_its_range() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("disk");
        fs::write(&path, vec![7; 200_000]).unwrap();
        let backing = Backing::open(&path, Access::Write).unwrap();
        backing.zero(10, 100_000).unwrap();
        backing.zero(199_990, u64::MAX).unwrap();
        let bytes = fs::read(&path).unwrap();
        let kept = bytes.iter().enumerate().filter(|(_, byte)| **byte == 7).map(|(at, _)| at);
        assert!(kept.eq((0..10).chain(100_010..199_990)));
        assert_eq!(bytes.len(), 200_000);
    }
}
