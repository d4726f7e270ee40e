//! Opens a volume with a master key of this node.

use std::path::Path;

use ekm_bridge::KeyProvider;
use ekm_bridge::provider::ErrorKind;
use keywrap::keys::{KeyId, MasterKey};
use keywrap::medium::Medium;
use keywrap::volume;
use uuid::Uuid;

use super::places::Places;
use super::record::Volume;
use crate::error::Error;
use crate::state::State;

/// Opens the volume with the first of its master keys that this node has.
///
/// # Errors
/// [`Error::NotAdopted`] when no master key opens it anywhere, [`Error::KeyMissing`] when none of its keys is here, or
/// what keywrap says of a header that is damaged, tampered with or not supported.
pub(crate) fn unlock(state: &State, places: Places) -> Result<Volume, Error> {
    let (key_id, master) = master_key(state, &places)?;
    let opened = volume::unlock_with_master(places.header(), places.data.len, key_id, &master)
        .map_err(Error::volume(places.header_path()))?;
    Ok(Volume { places, key_id, opened })
}

/// The first master key of the volume's that this node has.
///
/// # Errors
/// As [`unlock`].
pub(crate) fn master_key(state: &State, places: &Places) -> Result<(KeyId, MasterKey), Error> {
    let path = places.header_path();
    let wanted = volume::key_ids(places.header()).map_err(Error::volume(path))?;
    if wanted.is_empty() {
        return Err(Error::NotAdopted { path: path.to_owned() });
    }
    for id in &wanted {
        match state.node().provider().key(*id) {
            Ok(master) => return Ok((*id, master)),
            Err(error) if error.kind == ErrorKind::Absent => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(missing(state, path, wanted))
}

fn missing(state: &State, path: &Path, wanted: Vec<KeyId>) -> Error {
    Error::KeyMissing { path: path.to_owned(), wanted, state: state.path().to_owned() }
}

/// The volume's UUID, read without any key.
///
/// # Errors
/// What keywrap says of a header that is damaged or not supported.
pub(crate) fn uuid_of(places: &Places) -> Result<Uuid, Error> {
    uuid_in(places.header(), places.header_path())
}

/// Bytes of plaintext and of a sector, read without any key.
///
/// # Errors
/// What keywrap says of a header that is damaged; [`Error::NotAVolume`] when it describes no data.
pub(crate) fn segment_of(places: &Places) -> Result<(u64, u32), Error> {
    let path = places.header_path();
    let seen = volume::inspect(places.header()).map_err(Error::volume(path))?;
    let segment = seen.segments.first().ok_or_else(|| Error::NotAVolume { path: path.to_owned() })?;
    let room = places.data.len.saturating_sub(segment.offset);
    let sector = segment.sector_size.unwrap_or(512);
    let whole = room - room % u64::from(sector);
    Ok((segment.size.unwrap_or(whole), sector))
}

/// The UUID in the header on `medium`, which is at `path`.
///
/// # Errors
/// As [`uuid_of`].
pub(crate) fn uuid_in(medium: &dyn Medium, path: &Path) -> Result<Uuid, Error> {
    let stored = volume::inspect(medium).map_err(Error::volume(path))?.uuid;
    Uuid::parse_str(&stored).map_err(|_| Error::NotAVolume { path: path.to_owned() })
}
