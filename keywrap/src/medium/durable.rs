//! Writes that are durable by themselves (`RWF_DSYNC`, pwritev2(2)).
//!
//! A header often shares its file with data that is being written at full speed. Syncing the file for it would bring all of
//! that to the medium first, several times for each change of the header.

use std::fs::File;
use std::io::{self, IoSlice};

use rustix::io::{Errno, ReadWriteFlags};

/// Writes all of `bytes` at byte `offset`; they are on the medium when this returns, and so is what is needed to find them.
///
/// # Errors
/// Those of writing and of syncing.
pub(super) fn write_all_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::pwritev2(file, &[IoSlice::new(bytes)], offset, ReadWriteFlags::DSYNC) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = bytes.get(written..).unwrap_or_default();
                offset += written as u64;
            }
            Err(Errno::INTR) => (),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn every_byte_is_written_where_it_belongs_and_nothing_else_is() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&[1; 12 << 10], 0).unwrap();
        let bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
        write_all_at(&file, &bytes, 4000).unwrap();
        let mut found = vec![0; 12 << 10];
        file.read_exact_at(&mut found, 0).unwrap();
        assert!(found[4000..9000] == bytes && found[..4000].iter().chain(&found[9000..]).all(|byte| *byte == 1));
    }

    #[test]
    fn a_file_that_cannot_be_written_is_an_error() {
        let file = File::open("/proc/self/exe").unwrap();
        assert_eq!(write_all_at(&file, &[0; 512], 0).unwrap_err().raw_os_error(), Some(Errno::BADF.raw_os_error()));
    }
}
