//! `sear bench`: which combinations are measured and how they are said. Never how fast.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::rig::Rig;

/// What doctor says of the machine and what the bench measures must be the same engines, so neither is written here.
const EVERYWHERE: [&str; 2] = ["portable", "xts-mode"];

fn combination(row: &Value) -> (String, u64, String, u64) {
    let text = |field: &str| row[field].as_str().unwrap().to_owned();
    (text("engine"), row["unit"].as_u64().unwrap(), text("direction"), row["threads"].as_u64().unwrap())
}

/// Every combination of what the rows name, so that a list equal to it leaves none out.
fn product(rows: &BTreeSet<(String, u64, String, u64)>) -> usize {
    let engines: BTreeSet<_> = rows.iter().map(|row| &row.0).collect();
    let units: BTreeSet<_> = rows.iter().map(|row| row.1).collect();
    let directions: BTreeSet<_> = rows.iter().map(|row| &row.2).collect();
    let threads: BTreeSet<_> = rows.iter().map(|row| row.3).collect();
    engines.len() * units.len() * directions.len() * threads.len()
}

#[test]
fn bench_cipher_measures_every_combination_once_and_says_six_things_of_each() {
    let rig = Rig::new();
    let document = rig.run(["bench", "cipher", "--seconds", "1", "--json"]).json();
    let rows = document.as_array().unwrap();
    for row in rows {
        let fields: Vec<&String> = row.as_object().unwrap().keys().collect();
        assert_eq!(fields.len(), 6, "{row}");
        assert!(row["gbps"].as_f64().unwrap() > 0.0, "{row}");
        assert!(row["ceiling_ratio"].as_f64().unwrap() > 0.0, "{row}");
    }
    let found: BTreeSet<_> = rows.iter().map(combination).collect();
    assert_eq!((found.len(), rows.len()), (product(&found), rows.len()), "each once: {document}");
    let cores = std::thread::available_parallelism().unwrap().get() as u64;
    for engine in EVERYWHERE {
        for (unit, threads) in [(512, 1), (4096, 1), (512, cores), (4096, cores)] {
            for direction in ["encrypt", "decrypt"] {
                let wanted = (engine.to_owned(), unit, direction.to_owned(), threads);
                assert!(found.contains(&wanted), "no {wanted:?}");
            }
        }
    }
    assert!(!rig.state_dir().exists(), "measuring makes no state");
}

#[test]
fn bench_cipher_measures_only_what_is_named_as_a_plain_chart() {
    let only = ["--engine", "portable", "--unit", "1024", "--threads", "3", "--seconds", "0.05"];
    let chart = Rig::new().run(["bench", "cipher"].into_iter().chain(only)).ok();
    let rows: Vec<&str> = chart.lines().filter(|line| line.starts_with("  ")).collect();
    assert_eq!(rows.len(), 2, "{chart}");
    assert!(rows[0].starts_with("  portable 1024 encrypt #") && rows[1].starts_with("  portable 1024 decrypt #"));
    assert!(chart.contains("\n3 threads\n"), "{chart}");
    assert!(chart.is_ascii() && !chart.contains('\u{1b}'), "not on a terminal: {chart}");
}

#[test]
fn bench_cipher_refuses_what_it_cannot_measure() {
    let rig = Rig::new();
    let refused = |option, value, words: &[&str]| rig.run(["bench", "cipher", option, value]).fails(2, words);
    refused("--engine", "vaes9000", &["--engine asks for the cipher engine \"vaes9000\"", "portable, xts-mode"]);
    refused("--unit", "1000", &["sector size 1000 is not one of"]);
    refused("--threads", "0", &["--threads"]);
    refused("--seconds", "0", &["more than 0"]);
}
