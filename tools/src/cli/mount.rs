//! `sear mount PATH DIR`

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use crate::backing::{self, Backing};
use crate::chain::{self, Background, ChainError, Links, Wish};
use crate::daemon::DaemonError;
use crate::error::Error;
use crate::lock::{Purpose, Server, VolumeLock, server_of};
use crate::serve::Access;
use crate::state::StatePath;
use crate::ui::Ui;
use crate::volume::{Places, Request, Situation, VolumePath, uuid_of};

#[derive(Args, Debug)]
pub(crate) struct Mount {
    #[command(flatten)]
    at: VolumePath,
    /// Where to mount it; made if it is missing
    dir: PathBuf,
    #[command(flatten)]
    wish: Wish,
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    access: Access,
}

/// There was nothing to do.
#[derive(Serialize)]
struct Already {
    event: &'static str,
    uuid: Uuid,
    dir: PathBuf,
}

impl fmt::Display for Already {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "volume {} is mounted at {} already", self.uuid, self.dir.display())
    }
}

impl Mount {
    /// Lets a server in the background serve the volume, and mounts it.
    pub(super) fn run(self, state: &StatePath, forward: Vec<OsString>, ui: Ui) -> Result<(), Error> {
        if state.daemon_lock().is_some() {
            return Err(DaemonError::NeedsOwnServer("sear mount").into());
        }
        let Self { at, dir, wish, request, access } = &self;
        let subject = Subject { at, request, access, name: None };
        if let Some(links) = prepare(&subject, state, wish)?
            && chain::stands(&links, dir)?
        {
            let (uuid, dir) = (links.uuid, dir.clone());
            return ui.confirm(&Already { event: "already-mounted", uuid, dir });
        }
        let arguments = subject.server_arguments(forward)?;
        let mounted = chain::mount(arguments, &state.run_dir(), dir, wish, Background::Log)?;
        ui.confirm(&mounted)
    }
}

/// A volume, and how it is to be served.
pub(super) struct Subject<'a> {
    pub(super) at: &'a VolumePath,
    pub(super) request: &'a Request,
    pub(super) access: &'a Access,
    pub(super) name: Option<&'a str>,
}

impl Subject<'_> {
    /// The arguments of a `sear up` that serves it, with absolute paths.
    pub(super) fn server_arguments(&self, forward: Vec<OsString>) -> Result<Vec<OsString>, Error> {
        let absolute = |path: &PathBuf| std::path::absolute(path).map_err(Error::io("find", path));
        let Self { at, request, access, name } = self;
        let mut arguments = forward;
        arguments.push("up".into());
        let mut add = |option: &str, value: Option<OsString>| {
            if let Some(value) = value {
                arguments.extend([option.into(), value]);
            }
        };
        add("--header", at.header.as_ref().map(absolute).transpose()?.map(Into::into));
        add("--size", request.size.map(|size| size.0.to_string().into()));
        add("--sector-size", request.sector_size.map(|size| size.bytes().to_string().into()));
        add("--label", request.label.clone().map(Into::into));
        add("--name", name.map(Into::into));
        let flags = [
            ("--force", request.force),
            ("--read-only", access.read_only),
            ("--allow-discards", access.allow_discards),
            ("--strict-alignment", access.strict_alignment),
        ];
        arguments.extend(flags.into_iter().filter(|(_, on)| *on).map(|(flag, _)| flag.into()));
        // Absolute, so it looks like no option; more options may follow.
        arguments.push(absolute(&at.path)?.into());
        Ok(arguments)
    }
}

/// Looks before anything is started: a new volume needs to be told its filesystem; what a dead server has left behind is
/// taken down.
/// Where its places are, if there is a volume.
pub(super) fn prepare(subject: &Subject<'_>, state: &StatePath, wish: &Wish) -> Result<Option<Links>, Error> {
    let header = subject.at.header.as_deref().unwrap_or(&subject.at.path);
    match Situation::at(header)? {
        Situation::Luks2 => clear_leftovers(subject.at, state).map(Some),
        _ if wish.mkfs.is_none() && Backing::exists(header) && !subject.request.force => Ok(None),
        _ if wish.mkfs.is_none() => Err(ChainError::NoFilesystem { volume: header.to_owned() }.into()),
        _ => Ok(None),
    }
}

fn clear_leftovers(at: &VolumePath, state: &StatePath) -> Result<Links, Error> {
    let uuid = uuid_of(&Places::open(at, backing::Access::Read)?)?;
    let run_dir = state.run_dir();
    let links = Links::new(&run_dir, uuid);
    if matches!(server_of(&run_dir, uuid), Server::Died(_)) {
        let _lock = VolumeLock::wait(&run_dir, uuid, Purpose::Mount)?;
        chain::take_down(&links)?;
    }
    Ok(links)
}
