//! What we build on: every licence is on the list of `deny.toml`, every direct dependency is explained.

use std::collections::BTreeSet;
use std::path::Path;

use super::repository::{array, members, metadata, string, text};

/// The comparison of the cipher is a workspace of its own: its peers are C, which nothing that is installed needs.
const COMPARE: &str = "benches/compare/Cargo.toml";

#[test]
fn every_dependency_has_a_licence_from_the_list() {
    let allowed = allowed_licences();
    let metadata = metadata();
    for package in array(&metadata["packages"]) {
        let name = string(&package["name"]);
        let licence = package["license"].as_str().unwrap_or_else(|| panic!("{name} states no licence"));
        let expression = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX)
            .unwrap_or_else(|error| panic!("{name}: cannot read the licence {licence:?}: {error}"));
        let is_allowed = expression.evaluate(|requirement| allowed.contains(&requirement.to_string()));
        assert!(is_allowed, "{name} is under {licence:?}, which deny.toml does not allow");
    }
}

#[test]
fn every_direct_dependency_is_explained() {
    let page = text(Path::new("docs/dependencies.md")).expect("documents are UTF-8");
    let metadata = metadata();
    let ours: BTreeSet<&str> = members(&metadata).into_iter().map(|package| string(&package["name"])).collect();
    for package in members(&metadata) {
        for dependency in array(&package["dependencies"]) {
            let name = string(&dependency["name"]);
            let explained = page.contains(&format!("| `{name}` |"));
            assert!(explained || ours.contains(name), "docs/dependencies.md does not explain `{name}`");
        }
    }
}

#[test]
fn every_dependency_of_the_comparison_is_explained() {
    let page = text(Path::new("docs/dependencies.md")).expect("documents are UTF-8");
    let manifest = text(Path::new(COMPARE)).expect("manifests are UTF-8");
    let sections = manifest.split("\n[").filter(|section| section.split(']').next().unwrap().ends_with("dependencies"));
    let external = sections.flat_map(str::lines).filter(|line| line.contains(" = ") && !line.contains("path = "));
    for name in external.filter_map(|line| line.split(" = ").next()) {
        assert!(page.contains(&format!("| `{name}` |")), "docs/dependencies.md does not explain `{name}`");
    }
}

#[test]
fn every_explained_dependency_is_still_used() {
    let page = text(Path::new("docs/dependencies.md")).expect("documents are UTF-8");
    let manifests = ["Cargo.toml", "tests/fuzz/Cargo.toml", COMPARE].map(Path::new).map(text);
    let manifests = manifests.map(|manifest| manifest.expect("manifests are UTF-8"));
    for name in page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()) {
        let is_used = manifests.iter().any(|manifest| manifest.contains(&format!("\n{name} = ")));
        assert!(is_used, "docs/dependencies.md explains `{name}`, which is gone");
    }
}

/// The entries of `allow = [...]` in `deny.toml`, one per line.
fn allowed_licences() -> BTreeSet<String> {
    let text = text(Path::new("deny.toml")).expect("configuration is UTF-8");
    let list = text.split("allow = [").nth(1).and_then(|rest| rest.split(']').next()).expect("deny.toml has the list");
    list.lines().filter_map(|line| line.split('"').nth(1)).map(str::to_owned).collect()
}
