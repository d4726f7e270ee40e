//! `sear volume resize`

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use keywrap::geometry::ByteLen;
use keywrap::medium::Medium;
use serde::Serialize;
use serde_json::json;

use crate::backing::Access;
use crate::cli::through::Through;
use crate::control::{self, Answer, Question};
use crate::error::Error;
use crate::lock::Purpose;
use crate::parse;
use crate::state::StatePath;
use crate::ui::Ui;
use crate::volume::{Places, VolumePath, segment_of, unlock, uuid_of};

/// Arguments of the verb.
#[derive(Args, Debug)]
pub(crate) struct Resize {
    #[command(flatten)]
    at: VolumePath,
    /// The new size, not below the present one [default: what the file or block device has room for]
    #[arg(long, value_name = "SIZE", value_parser = parse::size)]
    size: Option<ByteLen>,
}

#[derive(Serialize)]
struct Resized {
    path: PathBuf,
    /// Length in bytes, now.
    size: u64,
    /// A server has taken the new size over while serving.
    served: bool,
}

impl fmt::Display for Resized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} has {} now", self.path.display(), ByteLen(self.size))?;
        if self.served {
            writeln!(f, "NBD clients see it when they connect again; a loop device on a FUSE file after losetup -c")?;
        }
        Ok(())
    }
}

impl Resize {
    /// Grows the file if asked to, and tells a server that serves it.
    pub(super) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        let state = state.open()?;
        let places = Places::open(&self.at, Access::Write)?;
        let uuid = uuid_of(&places)?;
        let _changing = state.lock(uuid, Purpose::Change)?;
        let path = places.data.path.clone();
        let regular = places.data.file.metadata().map_err(Error::io("read", &path))?.is_file();
        let volume = unlock(&state, places)?;
        let segment = volume.opened.segment;
        let refused = |reason: String| Error::Resize { path: path.clone(), reason };
        if !volume.opened.follows_device {
            return Err(refused("its header gives it a fixed length".to_owned()));
        }
        if let Some(ByteLen(size)) = self.size {
            let file = &volume.places.data.file;
            let sector = u64::from(segment.sector_size.bytes());
            let now = Medium::len(file).map_err(Error::io("read", &path))?;
            let wanted = segment.offset.checked_add(size).ok_or_else(|| refused("the size is too large".to_owned()))?;
            match () {
                () if !size.is_multiple_of(sector) => {
                    return Err(refused(format!("{size} bytes are not whole sectors of {sector} bytes")));
                }
                () if wanted < now => {
                    return Err(refused(format!("it has {} and only grows", ByteLen(now - segment.offset))));
                }
                () if !regular && wanted > now => {
                    return Err(refused("the block device below is too short; grow that first".to_owned()));
                }
                () if wanted > now => {
                    file.set_len(wanted).and_then(|()| file.sync_all()).map_err(Error::io("grow", &path))?;
                }
                () => (),
            }
        }
        let socket = control::socket(&state.run_dir()?, uuid);
        let (size, served) =
            match control::ask(&socket, Question::Grow).map_err(Error::io("ask the server at", &socket))? {
                Some(Answer::Grown(size)) => (size, true),
                Some(Answer::Refused(reason)) => return Err(refused(reason)),
                Some(Answer::Statistics(_)) | None => {
                    let len = Medium::len(&volume.places.data.file).map_err(Error::io("read", &path))?;
                    (len.saturating_sub(segment.offset), false)
                }
            };
        ui.confirm(&Resized { path, size, served })
    }

    /// Has the daemon do it.
    pub(super) fn run_through(self, daemon: &Through, ui: Ui) -> Result<(), Error> {
        let volume = daemon.need_volume_at(&self.at)?;
        let places = Places::open(&self.at, Access::Read)?;
        let path = places.data.path.clone();
        let (room, sector) = segment_of(&places)?;
        let size = self.size.map_or(room, |size| size.0);
        let refused = |reason: String| Error::Resize { path: path.clone(), reason };
        if !size.is_multiple_of(u64::from(sector)) {
            return Err(refused(format!("{size} bytes are not whole sectors of {sector} bytes")));
        }
        if size < volume.total_size {
            return Err(refused(format!("it has {} and only grows", ByteLen(volume.total_size))));
        }
        let answer = daemon.ask("ModifyVolume", &json!({"volumeID": volume.id, "totalSize": size}))?;
        let size = answer["volume"]["totalSize"].as_u64().unwrap_or(size);
        ui.confirm(&Resized { path, size, served: volume.is_open })
    }
}
