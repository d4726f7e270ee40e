//! Reading a file past the page cache (`O_DIRECT`, open(2)).

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

/// What `O_DIRECT` wants a buffer aligned to, in bytes: no block device asks for more.
const ALIGN: usize = 4096;

/// Fills `buf` from byte `offset` without the page cache.
///
/// # Errors
/// `EINVAL` where the filesystem has no direct I/O or `offset` and length are not aligned to its blocks; those of opening
/// and reading.
pub(super) fn read_exact_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<()> {
    // The same file opened anew: flags of the descriptor that others use stay as they are.
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let direct = rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECT | OFlags::CLOEXEC, Mode::empty())?;
    let mut space = Zeroizing::new(vec![0; buf.len() + ALIGN]);
    let start = space.as_ptr().align_offset(ALIGN);
    let aligned = space.get_mut(start..).and_then(|rest| rest.get_mut(..buf.len()));
    let aligned = aligned.ok_or(io::ErrorKind::InvalidInput)?;
    File::from(direct).read_exact_at(aligned, offset)?;
    buf.copy_from_slice(aligned);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn direct_reads_see_what_was_synced_or_are_refused() {
        let file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..=255).cycle().take(64 << 10).collect();
        file.write_all_at(&bytes, 0).unwrap();
        file.sync_all().unwrap();
        let mut found = vec![0; 8192];
        match read_exact_at(&file, &mut found, 4096) {
            Ok(()) => assert!(found == bytes[4096..][..8192]),
            Err(error) => assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::INVAL.raw_os_error())),
        }
        assert!(read_exact_at(&file, &mut found, 60 << 10).is_err(), "past the end");
    }
}
