//! What files this process may use. Landlock enforces it and says nothing but "permission denied"; this says what to do.

use std::fs;
use std::path::{Path, PathBuf};

use ekm_bridge::cluster::{HostError, HostErrorKind};

use super::error::ensure;
use crate::volume::VolumePath;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// Whatever the user may, when there is no list.
    allowed: Option<Vec<PathBuf>>,
    /// Where no volume is made or taken on: the state of the daemon itself lies there.
    own: Vec<PathBuf>,
}

impl Scope {
    /// These files, and everything below these directories, as they are called without symbolic links.
    pub(crate) fn of(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { allowed: Some(paths.into_iter().map(|path| real(&path)).collect()), own: Vec::new() }
    }

    /// Whatever the user may.
    pub(crate) fn everything() -> Self {
        Self::default()
    }

    /// The same, with directories that are the daemon's own.
    pub(crate) fn without(self, own: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { own: own.into_iter().map(|path| real(&path)).collect(), ..self }
    }

    /// An error that says what to do, unless the files of a known volume may be used.
    pub(super) fn permits_all(&self, at: &VolumePath) -> Result<(), HostError> {
        paths(at).try_for_each(|path| self.permits(path))
    }

    /// The same for a place of which somebody tells: with `force` what is there is overwritten.
    pub(super) fn permits_new(&self, at: &VolumePath) -> Result<(), HostError> {
        for path in paths(at).map(real) {
            let words = || format!("{} is where the daemon keeps its own state; choose another place", path.display());
            ensure(!is_below(&path, &self.own), HostErrorKind::Outside, words)?;
        }
        self.permits_all(at)
    }

    fn permits(&self, path: &Path) -> Result<(), HostError> {
        let Some(allowed) = &self.allowed else { return Ok(()) };
        let path = real(path);
        let words = || {
            format!(
                "{} is outside of what this daemon may use: name it, or a directory above it, in the key `places` of \
                 [daemon] in the configuration, and restart the daemon",
                path.display()
            )
        };
        ensure(is_below(&path, allowed), HostErrorKind::Outside, words)
    }
}

fn paths(at: &VolumePath) -> impl Iterator<Item = &Path> {
    [Some(&at.path), at.header.as_ref()].into_iter().flatten().map(PathBuf::as_path)
}

fn is_below(path: &Path, places: &[PathBuf]) -> bool {
    places.iter().any(|place| path.starts_with(place))
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

    #[test]
    fn the_daemons_own_state_is_no_place_for_a_volume_wherever_volumes_may_lie() {
        let dir = tempfile::tempdir().unwrap();
        let own = dir.path().join("state");
        fs::create_dir(&own).unwrap();
        for scope in [Scope::everything(), Scope::of([dir.path().to_owned()])] {
            let scope = scope.without([own.clone()]);
            let at = |name: &str| VolumePath { path: dir.path().join(name), header: None };
            scope.permits_new(&at("disk")).unwrap();
            for name in ["state/state.redb", "state", "state/volumes/disk"] {
                assert_eq!(scope.permits_new(&at(name)).unwrap_err().kind, HostErrorKind::Outside, "{name}");
            }
            // One that lay there before goes on.
            scope.permits_all(&at("state/old")).unwrap();
        }
    }
}
