//! Programs of the system, with their English messages.

use std::ffi::OsStr;
use std::io;
use std::process::{Command, Output, Stdio};

use super::error::ChainError;

/// A program, and the Debian package it comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Program(pub(super) &'static str, pub(super) &'static str);

impl Program {
    /// Runs it without input; whatever it answers.
    ///
    /// # Errors
    /// When it is not there or cannot be started.
    pub(super) fn output<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Result<Output, ChainError> {
        let Self(program, package) = self;
        let mut command = Command::new(program);
        command.args(arguments).env("PATH", search_path()).env("LC_ALL", "C").stdin(Stdio::null());
        command.output().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ChainError::NoProgram { program, package },
            _ => ChainError::Program { program, said: error.to_string() },
        })
    }

    /// Runs it and returns its standard output.
    ///
    /// # Errors
    /// When it cannot be started, or fails.
    pub(super) fn run<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Result<String, ChainError> {
        let output = self.output(arguments)?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        } else {
            Err(ChainError::Program { program: self.0, said: said(&output) })
        }
    }

    /// Whether it is installed.
    pub(super) fn exists(self) -> bool {
        search_path().split(':').any(|folder| std::path::Path::new(folder).join(self.0).is_file())
    }
}

/// What a program has printed, on one line; how it ended, when it has printed nothing.
pub(super) fn said(output: &Output) -> String {
    let text = [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).join("\n");
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { output.status.to_string() } else { lines.join("; ") }
}

/// `PATH`, with the folders of system tools that ordinary users do not have in it.
fn search_path() -> String {
    let own = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".to_owned());
    format!("{own}:/usr/sbin:/sbin")
}
