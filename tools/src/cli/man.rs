//! `sear man [DIR]`

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::error::Error;
use crate::ui::Ui;

#[derive(Args, Debug)]
pub(crate) struct Man {
    /// Write sear.1 and one page per verb there, in the place of printing sear.1
    dir: Option<PathBuf>,
}

#[derive(Serialize)]
struct Written {
    pages: Vec<PathBuf>,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pages.iter().try_for_each(|page| writeln!(f, "{}", page.display()))
    }
}

impl Man {
    /// Prints the main page, or writes all of them.
    pub(super) fn run(self, ui: Ui) -> Result<(), Error> {
        let Some(dir) = self.dir else { return print() };
        fs::create_dir_all(&dir).map_err(Error::io("create", &dir))?;
        let mut command = super::command().disable_help_subcommand(true);
        command.build();
        let mut pages = Vec::new();
        write_pages(&command, &dir, &mut pages).map_err(Error::io("write man pages into", &dir))?;
        ui.confirm(&Written { pages })
    }
}

fn print() -> Result<(), Error> {
    let mut page = Vec::new();
    clap_mangen::Man::new(super::command()).render(&mut page).map_err(Error::Stdout)?;
    match io::stdout().lock().write_all(&page) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Stdout(error)),
        _ => Ok(()),
    }
}

/// The page of `command` and of every verb below it: `sear-volume-create.1` and so on.
fn write_pages(command: &clap::Command, dir: &Path, pages: &mut Vec<PathBuf>) -> io::Result<()> {
    let man = clap_mangen::Man::new(command.clone());
    let page = dir.join(man.get_filename());
    man.render(&mut fs::File::create(&page)?)?;
    pages.push(page);
    command.get_subcommands().filter(|verb| !verb.is_hide_set()).try_for_each(|verb| write_pages(verb, dir, pages))
}
