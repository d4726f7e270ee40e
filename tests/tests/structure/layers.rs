//! Inside a crate, a module uses only modules of its own layer or of layers below: no upward edges.

use std::path::{Path, PathBuf};

use super::repository::{files_with_extension, text};

/// The top modules of a crate, lowest layer first. Modules of one layer may use each other.
struct Layers {
    source: &'static str,
    rows: &'static [&'static [&'static str]],
}

const KEYWRAP: Layers = Layers {
    source: "keywrap/src",
    rows: &[&["geometry", "secret", "medium"], &["keys", "entropy"], &["derive", "wrap"], &["luks2"], &["volume"]],
};

const DATAPATH: Layers = Layers {
    source: "datapath/src",
    rows: &[
        &["buf", "limits", "table"],
        &["disk", "cipher"],
        &["request", "ring"],
        &["backend"],
        &["volume"],
        &["worker"],
        &["export"],
    ],
};

const EKM_BRIDGE: Layers = Layers {
    source: "ekm-bridge/src",
    rows: &[
        &["time", "private_file", "state_dir", "alarm", "metrics", "kmip"],
        &["rpc"],
        &["store", "audit", "transport"],
        &["keyserver"],
        &["provider", "records"],
        &["trust", "node", "rekey"],
        &["cluster"],
    ],
};

#[test]
fn keywrap_has_no_upward_edges() {
    check(&KEYWRAP);
}

#[test]
fn datapath_has_no_upward_edges() {
    check(&DATAPATH);
}

#[test]
fn ekm_bridge_has_no_upward_edges() {
    check(&EKM_BRIDGE);
}

#[test]
fn the_search_for_used_modules_sees_every_way_to_write_them() {
    let code = "use crate::buf::Buf;\nuse crate::{disk::{Io, Done}, Error, cipher};\nlet x = crate::export::nbd::SIZE;";
    assert_eq!(modules_used(code), ["buf", "disk", "cipher", "export"]);
}

#[test]
fn the_module_of_a_file_is_its_first_folder() {
    let source = Path::new("datapath/src");
    assert_eq!(module_of(source, Path::new("datapath/src/export/nbd/mod.rs")).as_deref(), Some("export"));
    assert_eq!(module_of(source, Path::new("datapath/src/disk.rs")).as_deref(), Some("disk"));
    assert_eq!(module_of(source, Path::new("datapath/src/lib.rs")), None);
}

fn check(layers: &Layers) {
    for path in files_with_extension(layers.source, "rs") {
        let Some(module) = module_of(Path::new(layers.source), &path) else { continue };
        let text = text(&path).expect("source is UTF-8");
        for used in modules_used(product_code(&path, &text)) {
            let (from, to) = (layers.row_of(&module), layers.row_of(used));
            assert!(to <= from, "{}: `{module}` uses `{used}`, which is in a layer above it", path.display());
        }
    }
}

impl Layers {
    fn row_of(&self, module: &str) -> usize {
        let row = self.rows.iter().position(|row| row.contains(&module));
        row.unwrap_or_else(|| panic!("{}: `{module}` has no layer; give it one in this test", self.source))
    }
}

/// The top module a file belongs to; `None` for the root of the crate.
fn module_of(source: &Path, path: &Path) -> Option<String> {
    let first: PathBuf = path.strip_prefix(source).ok()?.iter().take(1).collect();
    let name = first.file_stem()?.to_str()?.to_owned();
    (name != "lib" && name != "main").then_some(name)
}

/// The code of a file without its tests, which may look down from anywhere.
fn product_code<'text>(path: &Path, text: &'text str) -> &'text str {
    if path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests")) {
        return "";
    }
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

/// The top modules that code names as `crate::module` or inside `crate::{...}`.
fn modules_used(code: &str) -> Vec<&str> {
    let lines = code.split("crate::").skip(1);
    let names = lines.flat_map(|rest| match rest.strip_prefix('{') {
        Some(group) => names_of_group(group),
        None => vec![first_name(rest)],
    });
    names.filter(|name| name.starts_with(|first: char| first.is_ascii_lowercase())).collect()
}

/// The first name of every item of `{a::b, c::{d, e}}`, given without its opening brace.
fn names_of_group(group: &str) -> Vec<&str> {
    let mut names = vec![first_name(group)];
    let mut depth = 0_usize;
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(first_name(&group[at + 1..])),
            _ => {}
        }
    }
    names
}

fn first_name(text: &str) -> &str {
    let text = text.trim_start();
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default()
}
