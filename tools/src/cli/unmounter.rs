//! `sear unmounter DIR`: what a FUSE server starts to have its mount taken down. Not for people.

use std::path::PathBuf;

use clap::Args;

use crate::error::Error;
use crate::serve::unmounter;

#[derive(Args, Debug)]
pub(crate) struct Unmounter {
    /// Where the export is mounted, absolute
    dir: PathBuf,
}

impl Unmounter {
    /// Unmounts when asked to on standard input.
    pub(super) fn run(self) -> Result<(), Error> {
        let failed = Error::io("unmount on request", &self.dir);
        unmounter::serve(self.dir.clone()).map_err(failed)
    }
}
