//! A daemon that has the state directory: verbs go to it over its local socket.

use std::fs;
use std::path::{Path, PathBuf};

use ekm_bridge::registry::RegistryError;
use ekm_bridge::rpc::types::places::PlacedVolume;
use serde_json::{Value, json};

use crate::backing::Access;
use crate::daemon::{self, DaemonError};
use crate::error::Error;
use crate::state::StatePath;
use crate::volume::{Places, VolumePath, uuid_of};

/// The daemon.
pub(super) struct Through {
    socket: PathBuf,
    run_dir: PathBuf,
}

impl Through {
    /// The daemon that runs in this state directory, if one does.
    pub(super) fn of(state: &StatePath) -> Option<Self> {
        let run_dir = state.run_dir();
        state.daemon_lock().map(|_| Self { socket: daemon::socket(&run_dir), run_dir })
    }

    /// A directory that both the daemon and this command may use.
    pub(super) fn run_dir(&self) -> &Path {
        &self.run_dir
    }

    /// Calls a method.
    ///
    /// # Errors
    /// When the daemon says no, or does not answer.
    pub(super) fn ask(&self, method: &str, params: &Value) -> Result<Value, Error> {
        Ok(daemon::ask(&self.socket, method, params)?)
    }

    /// Calls a method whose answer is a volume.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub(super) fn ask_for_volume(&self, method: &str, params: &Value) -> Result<PlacedVolume, Error> {
        member(self.ask(method, params)?, "volumePlace")
    }

    /// Every volume of the daemon.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub(super) fn volumes(&self) -> Result<Vec<PlacedVolume>, Error> {
        member(self.ask("ListVolumePlaces", &json!({}))?, "volumePlaces")
    }

    /// The volume that lies there: by its path, else by the UUID in the header.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub(super) fn volume_at(&self, at: &VolumePath) -> Result<Option<PlacedVolume>, Error> {
        let all = self.volumes()?;
        let path = real(&at.path);
        let lies_there = |volume: &&PlacedVolume| real(Path::new(&volume.path)) == path;
        if let Some(found) = all.iter().find(lies_there) {
            return Ok(Some(found.clone()));
        }
        let uuid = Places::open(at, Access::Read).and_then(|places| uuid_of(&places)).ok();
        Ok(all.into_iter().find(|volume| Some(volume.uuid) == uuid))
    }

    /// The same, which must be one.
    ///
    /// # Errors
    /// [`DaemonError::NotItsVolume`], and as [`Self::ask`].
    pub(super) fn need_volume_at(&self, at: &VolumePath) -> Result<PlacedVolume, Error> {
        let none = || DaemonError::NotItsVolume(at.path.clone());
        Ok(self.volume_at(at)?.ok_or_else(none)?)
    }
}

/// Parameters that say where a volume lies and what it is called.
///
/// # Errors
/// When a path cannot be said in JSON.
pub(super) fn place(at: &VolumePath, name: &str) -> Result<serde_json::Map<String, Value>, Error> {
    let mut params = serde_json::Map::new();
    params.insert("name".to_owned(), json!(name));
    params.insert("path".to_owned(), json!(told(&at.path)?));
    params.insert("headerPath".to_owned(), json!(at.header.as_deref().map(told).transpose()?));
    Ok(params)
}

/// What a volume is called that nobody has named.
pub(super) fn name_of(path: &Path) -> String {
    let name: String = path.file_stem().unwrap_or_default().to_string_lossy().chars().take(64).collect();
    if name.is_empty() { "volume".to_owned() } else { name }
}

fn told(path: &Path) -> Result<String, Error> {
    let path = std::path::absolute(path).map_err(Error::io("find", path))?;
    let said = path.to_str().map(str::to_owned);
    said.ok_or_else(|| RegistryError::PathNotUtf8(path).into())
}

fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

fn member<T: serde::de::DeserializeOwned>(mut answer: Value, name: &str) -> Result<T, Error> {
    serde_json::from_value(answer.get_mut(name).map(Value::take).unwrap_or_default()).map_err(Error::Json)
}
