//! `sear completions SHELL`

use std::io::{self, Write};

use clap::Args;
use clap_complete::Shell;

use crate::error::Error;

#[derive(Args, Debug)]
pub(crate) struct Completions {
    /// The shell to complete for
    shell: Shell,
}

impl Completions {
    /// Prints the script. Bash: `sear completions bash > /etc/bash_completion.d/sear`.
    pub(super) fn run(self) -> Result<(), Error> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "sear", &mut script);
        match io::stdout().lock().write_all(&script) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Stdout(error)),
            _ => Ok(()),
        }
    }
}
