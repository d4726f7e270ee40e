//! Which versions were measured.

use std::process::Command;

use crate::contestant::Ours;
use crate::host::process::output;

const OTHERS: [&str; 6] = ["fio", "nbdkit", "nbd-server", "qemu-nbd", "qemu-storage-daemon", "nbdfuse"];

/// What each program says of itself; who is not installed says nothing.
pub(crate) fn versions(ours: &Ours) -> Vec<String> {
    let version = |program: &std::path::Path| {
        // The version is a word of the first line that it prints, wherever it prints it.
        let text = output(Command::new(program).arg("--version")).ok()?;
        let line = text.lines().next()?.trim().trim_start_matches("This is ").to_owned();
        let name = program.file_name()?.to_string_lossy().into_owned();
        Some(if line.starts_with(&name) { line } else { format!("{name} {line}") })
    };
    let others = OTHERS.iter().filter_map(|name| version(name.as_ref()));
    version(&ours.sear).into_iter().chain(others).map(|line| line.trim_end_matches('.').to_owned()).collect()
}
