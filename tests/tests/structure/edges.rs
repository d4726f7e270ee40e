//! Which crate may use which: the data path and the key path meet only in `tools`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::repository::{array, members, metadata, string, text};

/// Package, the folder it lives in, and the packages of ours it may use (also in its own tests).
const EDGES: [(&str, &str, &[&str]); 9] = [
    ("keywrap", "keywrap", &[]),
    ("datapath", "datapath", &["keywrap"]),
    ("ekm-bridge", "ekm-bridge", &["keywrap"]),
    ("sear", "tools", &["keywrap", "datapath", "ekm-bridge"]),
    ("sear-tests", "tests", &["keywrap", "datapath"]),
    ("sear-benches", "benches", &["keywrap", "datapath"]),
    ("sear-compare-nbd", "benches/compare/nbd", &["sear-benches"]),
    ("sear-measure-daemon", "benches/daemon", &["sear-benches", "sear-tests"]),
    ("sear-compare-vm", "benches/compare/vm", &["sear-benches", "sear-tests"]),
];

#[test]
fn the_workspace_has_exactly_the_known_packages() {
    let metadata = metadata();
    let found: BTreeSet<&str> = members(&metadata).into_iter().map(|package| string(&package["name"])).collect();
    assert_eq!(found, EDGES.map(|(name, _, _)| name).into());
}

#[test]
fn crates_use_only_the_crates_below_them() {
    let metadata = metadata();
    for package in members(&metadata) {
        let name = string(&package["name"]);
        let (_, _, allowed) = EDGES.iter().find(|edge| edge.0 == name).expect("checked by the test above");
        for used in ours_used_by(package) {
            assert!(allowed.contains(&used), "{name} may not use {used}; it may use {allowed:?}");
        }
    }
}

#[test]
fn every_crate_takes_the_lint_table_of_the_workspace() {
    for (name, folder, _) in EDGES {
        let manifest = text(format!("{folder}/Cargo.toml").as_ref()).expect("manifests are UTF-8");
        assert!(manifest.contains("[lints]\nworkspace = true"), "{name} does not take the workspace's lints");
    }
}

#[test]
fn the_comparison_outside_of_the_workspace_has_the_same_lints() {
    let root = text("Cargo.toml".as_ref()).expect("manifests are UTF-8");
    let compare = text("benches/compare/Cargo.toml".as_ref()).expect("manifests are UTF-8");
    for table in ["lints.rust]\n", "lints.clippy]\n"] {
        let lints = |manifest: &str| -> Vec<String> {
            let table = manifest.split(table).nth(1).expect("the manifest has the table");
            table.lines().take_while(|line| line.contains(" = ")).map(str::to_owned).collect()
        };
        assert_eq!(lints(&compare), lints(&root), "benches/compare differs in [{table}");
    }
}

/// The packages of ours among the dependencies of every kind: normal, for tests, for builds.
fn ours_used_by(package: &Value) -> Vec<&str> {
    let names = array(&package["dependencies"]).iter().map(|dependency| string(&dependency["name"]));
    names.filter(|name| EDGES.iter().any(|edge| edge.0 == *name)).collect()
}
