//! What people and programs see: results on standard output, everything else on standard error.

use std::fmt::Display;
use std::io::{self, Write, stderr, stdout};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};
use serde::Serialize;
use serde_json::json;

use crate::error::Error;
use crate::exit::Exit;

/// How to talk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ui {
    /// One JSON document per result in the place of text.
    pub(crate) json: bool,
    /// No progress, no hints, no text that only confirms.
    pub(crate) quiet: bool,
}

impl Ui {
    /// Prints what was asked for: `--quiet` does not silence it.
    ///
    /// # Errors
    /// When standard output cannot be written; a reader that has gone away is no error.
    pub(crate) fn answer<R: Serialize + Display>(self, report: &R) -> Result<(), Error> {
        let text = if self.json {
            serde_json::to_string(report).map_err(Error::Json)?
        } else {
            report.to_string().trim_end().to_owned()
        };
        print(&text)
    }

    /// Prints that something was done: nothing under `--quiet` unless `--json` asked for the document.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub(crate) fn confirm<R: Serialize + Display>(self, report: &R) -> Result<(), Error> {
        if self.quiet && !self.json { Ok(()) } else { self.answer(report) }
    }

    /// Prints why the run failed: text on standard error, or a JSON document on standard output.
    pub(crate) fn failure(self, error: &Error) {
        let hint = error.hint();
        if self.json {
            let exit = error.exit();
            let document = json!({"error": {
                "kind": exit, "exit_code": exit.code(), "message": error.to_string(),
                "causes": error.causes(), "hint": hint,
            }});
            // There is nowhere left to report a failure of this to.
            let _unreported = print(&document.to_string());
            return;
        }
        let mut text = format!("sear: {error}");
        for cause in error.causes() {
            text.push_str(": ");
            text.push_str(&cause);
        }
        if let Some(hint) = hint.filter(|_| !self.quiet) {
            text.push_str("\nhint: ");
            text.push_str(&hint);
        }
        let _unreported = writeln!(stderr(), "{text}");
    }

    /// Says what takes long, on standard error; hidden when nobody watches.
    pub(crate) fn spinner(self, what: &'static str) -> ProgressBar {
        let hidden = self.quiet || self.json;
        let spinner = ProgressBar::new_spinner().with_message(what);
        spinner.set_draw_target(if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() });
        spinner.enable_steady_tick(Duration::from_millis(120));
        spinner
    }
}

/// A wrong command line, as a JSON document.
pub(crate) fn print_usage_error(message: &str) {
    let exit = Exit::Usage;
    let document = json!({"error": {
        "kind": exit, "exit_code": exit.code(), "message": message.trim_end(), "causes": [], "hint": "see sear --help",
    }});
    let _unreported = print(&document.to_string());
}

fn print(text: &str) -> Result<(), Error> {
    let mut out = stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Stdout(error)),
        _ => Ok(()),
    }
}
