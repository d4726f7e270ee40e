//! `sear volume inspect PATH`

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use keywrap::geometry::ByteLen;
use keywrap::volume::{self, Inspection, KeyslotInfo, SegmentInfo, TokenInfo};
use serde::Serialize;

use crate::backing::Access;
use crate::error::Error;
use crate::ui::Ui;
use crate::volume::{Places, VolumePath};

#[derive(Args, Debug)]
pub(crate) struct Inspect {
    #[command(flatten)]
    at: VolumePath,
}

#[derive(Serialize)]
struct Inspected {
    path: PathBuf,
    header: Option<PathBuf>,
    #[serde(flatten)]
    inspection: Inspection,
}

impl Inspect {
    /// Reads the header without any key.
    pub(super) fn run(self, ui: Ui) -> Result<(), Error> {
        let places = Places::open(&self.at, Access::Read)?;
        let inspection = volume::inspect(places.header()).map_err(Error::volume(places.header_path()))?;
        let header = places.detached_header_path();
        ui.answer(&Inspected { path: places.data.path, header, inspection })
    }
}

impl fmt::Display for Inspected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = &self.inspection;
        field(f, "path", self.path.display())?;
        if let Some(header) = &self.header {
            field(f, "header", header.display())?;
        }
        field(f, "uuid", &seen.uuid)?;
        for (name, text) in [("label", &seen.label), ("subsystem", &seen.subsystem)] {
            if !text.is_empty() {
                field(f, name, text.escape_debug())?;
            }
        }
        field(f, "in force", format_args!("{} header, sequence number {}", seen.copy_in_force, seen.seqid))?;
        field(f, "primary", &seen.primary)?;
        field(f, "secondary", &seen.secondary)?;
        field(
            f,
            "sizes",
            format_args!("{} a copy, {} for keyslots", ByteLen(seen.header_size), ByteLen(seen.keyslots_size)),
        )?;
        list(f, "flags", &seen.flags)?;
        list(f, "requirements", &seen.requirements)?;
        seen.segments.iter().try_for_each(|info| segment(f, info))?;
        seen.keyslots.iter().try_for_each(|info| keyslot(f, info))?;
        seen.tokens.iter().try_for_each(|info| token(f, info))?;
        for info in &seen.digests {
            field(f, &format!("digest {}", info.id), format_args!("{} of keyslots {:?}", info.kind, info.keyslots))?;
        }
        match &seen.unsupported {
            Some(reason) => field(f, "unsupported", reason),
            None => Ok(()),
        }
    }
}

fn field(f: &mut fmt::Formatter<'_>, name: &str, value: impl fmt::Display) -> fmt::Result {
    writeln!(f, "{name:<14}{value}")
}

fn list(f: &mut fmt::Formatter<'_>, name: &str, words: &[String]) -> fmt::Result {
    if words.is_empty() { Ok(()) } else { field(f, name, words.join(", ").escape_debug()) }
}

fn segment(f: &mut fmt::Formatter<'_>, info: &SegmentInfo) -> fmt::Result {
    let cipher = info.encryption.as_deref().unwrap_or("no cipher");
    let sector = info.sector_size.map(|bytes| format!(", sectors of {bytes} bytes")).unwrap_or_default();
    let size = info.size.map_or("to the end of the device".to_owned(), |size| ByteLen(size).to_string());
    let place = format!("{size} from byte {}", info.offset);
    field(f, &format!("segment {}", info.id), format_args!("{} {cipher}{sector}, {place}", info.kind))
}

fn keyslot(f: &mut fmt::Formatter<'_>, info: &KeyslotInfo) -> fmt::Result {
    let kdf = info.kdf.as_deref().unwrap_or("unknown");
    let usable = if info.usable { "" } else { ", not usable here" };
    let area = format!("{} at byte {}", ByteLen(info.area_size), info.area_offset);
    field(f, &format!("keyslot {}", info.id), format_args!("{} ({kdf}), {area}{usable}", info.kind))
}

fn token(f: &mut fmt::Formatter<'_>, info: &TokenInfo) -> fmt::Result {
    let key = info.key_id.map(|id| format!(", master key {id}")).unwrap_or_default();
    let problem = info.problem.as_ref().map(|problem| format!(", {problem}")).unwrap_or_default();
    let kind = info.kind.escape_debug();
    field(f, &format!("token {}", info.id), format_args!("{kind} for keyslots {:?}{key}{problem}", info.keyslots))
}
