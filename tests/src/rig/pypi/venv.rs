//! Virtual environments, and what happens where they cannot be made.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of everything that is made once and kept.
pub(super) fn kept() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from).join("tmp")
}

/// A Python that has `package`; it is installed by the first caller. `module` is imported then, to see that it works.
pub(super) fn python_with(name: &str, package: &str, module: &str) -> Result<PathBuf, String> {
    let folder = kept().join(name);
    run("make-venv", [folder.as_os_str(), package.as_ref(), module.as_ref()])?;
    Ok(folder.join("venv/bin/python"))
}

/// The Python that has the public SDK of the Element API.
///
/// # Errors
/// What keeps this machine from having it.
pub fn sdk() -> Result<PathBuf, String> {
    python_with("element-sdk", "solidfire-sdk-python==12.3.0.203", "solidfire.factory")
}

/// What was made, or nothing, with the reason printed.
///
/// # Panics
/// When there is nothing and `CI=true`: there, nothing is skipped.
pub fn or_skip<T>(made: Result<T, String>) -> Option<T> {
    let error = match made {
        Ok(made) => return Some(made),
        Err(error) => error,
    };
    let message = format!("{}: skipped, because {error}", std::thread::current().name().unwrap_or("a test"));
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{message}");
    println!("{message}");
    None
}

/// A script of the repository.
pub(super) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/scripts").join(name)
}

/// Runs a script of the shell to its end.
pub(super) fn run<const N: usize>(name: &str, arguments: [&std::ffi::OsStr; N]) -> Result<(), String> {
    let outcome = Command::new("bash").arg(script(name)).args(arguments).output();
    let output = outcome.map_err(|error| format!("bash cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{name} failed: {}", said.trim().lines().last().unwrap_or("without a word")))
}
