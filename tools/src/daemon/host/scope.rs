//! What files this process may use. Landlock enforces it and says nothing but "permission denied"; this says what to do.

use std::fs;
use std::path::{Path, PathBuf};

use ekm_bridge::cluster::{HostError, HostErrorKind};

use super::error::ensure;
use crate::volume::VolumePath;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope(Option<Vec<PathBuf>>);

impl Scope {
    /// These files, and everything below these directories, as they are called without symbolic links.
    pub(crate) fn of(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self(Some(paths.into_iter().map(|path| fs::canonicalize(&path).unwrap_or(path)).collect()))
    }

    /// Whatever the user may.
    pub(crate) fn everything() -> Self {
        Self(None)
    }

    /// An error that says what to do, unless both files may be used.
    pub(super) fn permits_all(&self, at: &VolumePath) -> Result<(), HostError> {
        [Some(&at.path), at.header.as_ref()].into_iter().flatten().try_for_each(|path| self.permits(path))
    }

    fn permits(&self, path: &Path) -> Result<(), HostError> {
        let Some(allowed) = &self.0 else { return Ok(()) };
        let path = real(path);
        let words = || {
            format!(
                "{} is outside of what this daemon may use: name it, or a directory above it, in the key `places` of \
                 [daemon] in the configuration, and restart the daemon",
                path.display()
            )
        };
        ensure(allowed.iter().any(|place| path.starts_with(place)), HostErrorKind::Outside, words)
    }
}

/// A path without symbolic links; of a file that is not there yet, its directory's.
pub(super) fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| {
        let dir = path.parent().and_then(|dir| fs::canonicalize(dir).ok());
        dir.and_then(|dir| Some(dir.join(path.file_name()?))).unwrap_or_else(|| path.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_elsewhere_is_refused_with_what_to_do_also_behind_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (inside, outside) = (dir.path().join("in"), dir.path().join("out"));
        fs::create_dir(&inside).unwrap();
        fs::create_dir(&outside).unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("link")).unwrap();
        let at = |path: PathBuf| VolumePath { path, header: None };
        let scope = Scope::of([inside.clone()]);
        scope.permits_all(&at(inside.join("disk"))).unwrap();
        for path in [outside.join("disk"), inside.join("link/disk"), dir.path().join("in2")] {
            let error = scope.permits_all(&at(path.clone())).unwrap_err();
            assert_eq!(error.kind, HostErrorKind::Outside, "{}", path.display());
            assert!(error.message.contains("`places`") && error.message.contains("restart"), "{error}");
        }
        let header = Some(outside.join("header"));
        assert!(scope.permits_all(&VolumePath { path: inside.join("disk"), header }).is_err());
        Scope::everything().permits_all(&at(outside.join("disk"))).unwrap();
    }
}
