//! Programs of this workspace, built by cargo when a test asks for them.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// The program `name` of `package`, built in the given profile. Cargo does not give the program of one package to the
/// tests of another, nor that of another profile, so we ask it for the path.
///
/// # Panics
/// When it does not build.
pub(crate) fn built(package: &str, name: &str, release: bool) -> PathBuf {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--locked", "--package", package, "--bin", name, "--message-format=json"]);
    if release {
        command.arg("--release");
    }
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
    assert!(output.status.success(), "{name} does not build:\n{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut programs = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    programs.next().expect("cargo names the program it has built")
}
