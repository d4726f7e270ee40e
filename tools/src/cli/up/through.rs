//! `sear up PATH` where a daemon has the state directory: the daemon makes or takes on the volume, and serves it.

use ekm_bridge::rpc::types::places::PlacedVolume;
use keywrap::geometry::ByteLen;
use serde_json::json;

use super::Up;
use crate::backing::{Access, Backing};
use crate::cli::ready::{Ready, Served};
use crate::cli::through::{Through, name_of, place};
use crate::daemon::DaemonError;
use crate::error::Error;
use crate::ui::Ui;
use crate::volume::{Places, Situation, check, segment_of};

impl Up {
    /// Returns as soon as clients can connect: it is the daemon that stays.
    pub(super) fn run_through(self, daemon: &Through, ui: Ui) -> Result<(), Error> {
        if let Some(option) = self.needs_own_server() {
            return Err(DaemonError::NeedsOwnServer(option).into());
        }
        let (volume, created) = self.volume_through(daemon)?;
        let volume = self.offer_through(daemon, volume)?;
        let (size, sector_size) = self.check_matches_through(&volume)?;
        let served = Served {
            name: volume.export.clone(),
            uuid: volume.uuid,
            path: volume.path.clone().into(),
            size,
            sector_size,
            read_only: volume.is_read_only,
            created,
        };
        ui.answer(&Ready::of_daemon(served, volume.uris))
    }

    fn needs_own_server(&self) -> Option<&'static str> {
        match () {
            () if self.mount.is_some() => Some("--mount"),
            () if self.background.is_some() => Some("sear mount"),
            () => self.serve.needs_own_server(),
        }
    }

    fn volume_through(&self, daemon: &Through) -> Result<(PlacedVolume, bool), Error> {
        let header = self.at.header.as_deref().unwrap_or(&self.at.path);
        let name = self.serve.name.clone().unwrap_or_else(|| name_of(&self.at.path));
        match Situation::at(header)? {
            Situation::Luks2 => {
                if let Some(known) = daemon.volume_at(&self.at)? {
                    return Ok((known, false));
                }
                let adopted = daemon.ask_for_volume("AdoptVolume", &place(&self.at, &name)?.into());
                Ok((adopted.map_err(|error| not_adopted(error, header))?, false))
            }
            Situation::Missing if self.serve.access.read_only => Err(Error::Missing { path: header.to_owned() }),
            _ if self.serve.access.read_only => Err(Error::NotAVolume { path: header.to_owned() }),
            _ => {
                check(&self.at, &self.request)?;
                Ok((self.request.create_through(daemon, &self.at, &name)?, true))
            }
        }
    }

    /// Has it offered as it is wished: read-only, or, when nobody is offered it, as writable.
    fn offer_through(&self, daemon: &Through, volume: PlacedVolume) -> Result<PlacedVolume, Error> {
        let not_served = |why| DaemonError::NotServed { path: volume.path.clone().into(), why };
        if volume.is_deleted {
            return Err(not_served("deleted and waits to be purged").into());
        }
        let read_only = self.serve.access.read_only;
        if volume.is_open && (volume.is_read_only || !read_only) {
            return Ok(volume);
        }
        let access = if read_only || volume.is_read_only { "readOnly" } else { "readWrite" };
        daemon.ask("ModifyVolume", &json!({"volumeID": volume.id, "access": access}))?;
        let now = daemon.volumes()?.into_iter().find(|known| known.id == volume.id && known.is_open);
        now.ok_or_else(|| not_served("locked; `sear faults` says why").into())
    }

    /// Checks what was asked for against the volume that there is; its size and that of its sectors.
    fn check_matches_through(&self, volume: &PlacedVolume) -> Result<(u64, u32), Error> {
        let path = Backing::open_again(&self.at.path, Access::Read)?.path;
        let (_, sector_size) = segment_of(&Places::again(&self.at, Access::Read)?)?;
        let size = volume.total_size;
        if let Some(asked) = self.request.size.filter(|asked| asked.0 != size) {
            return Err(Error::SizeDiffers { path, asked, found: ByteLen(size) });
        }
        match self.request.sector_size.filter(|asked| asked.bytes() != sector_size) {
            Some(asked) => Err(Error::SectorSizeDiffers { path, asked: asked.bytes(), found: sector_size }),
            None => Ok((size, sector_size)),
        }
    }
}

/// As without a daemon: what no master key opens has to be adopted.
fn not_adopted(error: Error, header: &std::path::Path) -> Error {
    match error {
        Error::Daemon(DaemonError::Refused { name, .. }) if name == "xKeyUnavailable" => {
            Error::NotAdopted { path: header.to_owned() }
        }
        other => other,
    }
}
