//! The top level is a closed list.

use std::collections::BTreeSet;
use std::fs;

use super::repository::root;

const REQUIRED: [&str; 6] = ["benches", "datapath", "ekm-bridge", "keywrap", "tests", "tools"];
const BESIDE_THEM: [&str; 4] = [".ci", ".git", "docs", "target"];

#[test]
fn the_top_level_folders_are_the_six_crates_and_nothing_else() {
    let mut folders = BTreeSet::new();
    for entry in fs::read_dir(root()).expect("the root can be listed") {
        let entry = entry.expect("the root can be listed");
        if entry.path().is_dir() {
            folders.insert(entry.file_name().into_string().expect("folder names are UTF-8"));
        }
    }
    folders.retain(|name| !BESIDE_THEM.contains(&name.as_str()));
    assert_eq!(folders, REQUIRED.map(str::to_owned).into());
}
