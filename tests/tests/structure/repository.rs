//! The files of the repository and what cargo says about it: what every other module of this test reads.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

/// Folders that are not part of the source.
const NOT_SOURCE: [&str; 2] = [".git", "target"];

/// The folder that holds the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("the tests crate lives one level below the root").to_path_buf()
}

/// Every file of the source below `folder` (relative to the root), with paths relative to the root, in order.
pub(crate) fn files_below(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    found.sort();
    found
}

/// The files below `folder` whose extension is `extension`.
pub(crate) fn files_with_extension(folder: &str, extension: &str) -> Vec<PathBuf> {
    files_below(folder).into_iter().filter(|path| path.extension().is_some_and(|ext| ext == extension)).collect()
}

/// The text of a file given relative to the root; `None` when it is not UTF-8.
pub(crate) fn text(path: &Path) -> Option<String> {
    let bytes = fs::read(root().join(path)).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    String::from_utf8(bytes).ok()
}

/// What `cargo metadata` prints for this platform.
pub(crate) fn metadata() -> Value {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version=1", "--locked", "--filter-platform=x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .expect("cargo runs, since it started this test");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

/// The packages of the workspace.
pub(crate) fn members(metadata: &Value) -> Vec<&Value> {
    let ids = array(&metadata["workspace_members"]);
    array(&metadata["packages"]).iter().filter(|package| ids.contains(&package["id"])).collect()
}

/// A JSON array; anything else is a change in cargo's format.
pub(crate) fn array(value: &Value) -> &[Value] {
    value.as_array().expect("cargo metadata has an array here")
}

/// A JSON string; anything else is a change in cargo's format.
pub(crate) fn string(value: &Value) -> &str {
    value.as_str().expect("cargo metadata has a string here")
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("cannot list {}: {error}", folder.display())) {
        let path = entry.expect("the folder can be listed").path();
        if NOT_SOURCE.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push(path.strip_prefix(root()).expect("it was found below the root").to_path_buf());
        }
    }
}
