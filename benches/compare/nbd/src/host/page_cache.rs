//! What the page cache holds of an image, and whether a server goes past it.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rustix::fs::{Advice, OFlags, fadvise};
use rustix::process::Pid;

/// Writes an image's dirty pages to the disk and forgets the clean ones, so that nobody reads what another one cached,
/// and nobody pays for what another one wrote.
///
/// # Errors
/// When the image cannot be opened or written.
pub(crate) fn settle(image: &Path) -> io::Result<()> {
    let file = File::open(image)?;
    file.sync_all()?;
    fadvise(&file, 0, None, Advice::DontNeed)?;
    Ok(())
}

/// Whether one of the processes has opened the image with `O_DIRECT`; nothing when none has it open.
pub(crate) fn is_direct(pids: &[Pid], image: &Path) -> Option<bool> {
    let image = image.canonicalize().ok()?;
    let flags: Vec<u32> = pids.iter().flat_map(|pid| open_flags(*pid, &image)).collect();
    if flags.is_empty() { None } else { Some(flags.iter().any(|flags| flags & OFlags::DIRECT.bits() != 0)) }
}

fn open_flags(pid: Pid, image: &Path) -> Vec<u32> {
    let root = format!("/proc/{}", pid.as_raw_nonzero());
    let Ok(entries) = fs::read_dir(format!("{root}/fd")) else { return Vec::new() };
    let open = entries.flatten().filter(|entry| fs::read_link(entry.path()).is_ok_and(|path| path == image));
    let info = |entry: fs::DirEntry| {
        let text = fs::read_to_string(format!("{root}/fdinfo/{}", entry.file_name().to_str()?)).ok()?;
        let octal = text.lines().find_map(|line| line.strip_prefix("flags:"))?.trim().to_owned();
        u32::from_str_radix(&octal, 8).ok()
    };
    open.filter_map(info).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::OpenOptionsExt;

    use super::*;

    #[test]
    fn an_image_opened_past_the_page_cache_is_told_from_one_that_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let myself = [rustix::process::getpid()];
        let path = folder.path().join("image");
        fs::write(&path, [7; 4096]).unwrap();
        assert_eq!(is_direct(&myself, &path), None);
        let plain = File::open(&path).unwrap();
        assert_eq!(is_direct(&myself, &path), Some(false));
        let flag = i32::try_from(OFlags::DIRECT.bits()).unwrap();
        match File::options().read(true).custom_flags(flag).open(&path) {
            Ok(_direct) => assert_eq!(is_direct(&myself, &path), Some(true)),
            Err(error) => eprintln!("skipped: {} does not take O_DIRECT: {error}", path.display()),
        }
        drop(plain);
    }
}
