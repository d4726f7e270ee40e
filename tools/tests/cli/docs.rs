//! What the documentation promises is what the binary says.

use std::collections::BTreeSet;
use std::fs;

use crate::rig::Rig;

fn document() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md")).unwrap()
}

#[test]
fn the_exit_codes_in_the_document_are_those_of_help() {
    let help = Rig::new().run(["--help"]).ok();
    let table = help.split("Exit codes:").nth(1).unwrap();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let table = words(table);
    let document = document();
    for code in 0..8 {
        let row = document.lines().find(|line| line.starts_with(&format!("| {code} |"))).unwrap();
        let meaning = row.split('|').nth(3).unwrap().trim();
        assert!(table.contains(&format!("{code} {meaning}")), "{code}: {meaning}\n{table}");
    }
}

#[test]
fn every_verb_of_help_is_in_the_document() {
    let rig = Rig::new();
    let document = document();
    for (prefix, least) in [("sear", 5), ("sear volume", 5), ("sear bench", 1)] {
        let help = rig.run(prefix.split(' ').skip(1).chain(["--help"])).ok();
        let commands = help.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap();
        let verbs: BTreeSet<&str> = commands
            .lines()
            .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
            .filter_map(|line| line.split_whitespace().next())
            .filter(|verb| *verb != "help")
            .collect();
        assert!(verbs.len() >= least, "{verbs:?}");
        for verb in verbs.iter().filter(|verb| **verb != "volume") {
            assert!(document.contains(&format!("{prefix} {verb}")), "{prefix} {verb} is not in docs/cli.md");
        }
    }
}

#[test]
fn every_option_of_the_long_verbs_is_in_the_document() {
    let rig = Rig::new();
    let document = document();
    for verb in [&["up"][..], &["mount"], &["umount"], &["bench", "cipher"]] {
        let help = rig.run(verb.iter().chain(&["--help"])).ok();
        let options = help.split_whitespace().filter(|word| word.starts_with("--"));
        for option in options.map(|option| option.split(|c: char| c != '-' && !c.is_ascii_alphabetic()).next().unwrap())
        {
            let known = document.contains(option) || ["--help", "--version", "--verbose"].contains(&option);
            assert!(known, "{option} of {verb:?} is not in docs/cli.md");
        }
    }
}
