//! The configuration file, and the cipher engine that it or the environment asks for.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::rig::Rig;

/// Without the variables of whoever runs the test.
fn rig() -> Rig {
    Rig::new().with("SEAR_CIPHER", None::<&str>).with("SEAR_CONFIG", None::<&str>)
}

/// `[cipher] engine = …` in a file.
fn asks_for(rig: &Rig, name: &str, engine: &str) -> PathBuf {
    rig.file(name, format!("[cipher]\nengine = \"{engine}\"\n").as_bytes())
}

fn checks(rig: &Rig, arguments: &[&str]) -> Vec<Value> {
    let mut diagnosis = rig.run(["doctor", "--json"].iter().chain(arguments)).json();
    diagnosis["checks"].as_array_mut().unwrap().split_off(0)
}

fn check(rig: &Rig, arguments: &[&str], name: &str) -> String {
    let checks = checks(rig, arguments);
    checks.iter().find(|check| check["name"] == name).unwrap()["found"].as_str().unwrap().to_owned()
}

/// The engine that `sear up` says it serves with.
fn engine_of_up(rig: &Rig, arguments: &[&str]) -> String {
    let mut up = rig.command();
    up.args(["-v", "up", "--size", "1M"]).arg(rig.path("disk")).args(arguments).env_remove("SEAR_LOG");
    let mut up = up.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(up.stderr.take().unwrap()).lines().map_while(Result::ok);
    let said = lines.map(|line| line.split("engine=").nth(1).map(str::to_owned)).find_map(|engine| engine);
    up.kill().unwrap();
    up.wait().unwrap();
    said.unwrap()
}

#[test]
fn without_a_file_and_a_variable_the_best_engine_is_chosen_and_passes_its_test() {
    let rig = rig();
    let chosen = check(&rig, &[], "cipher");
    let (engine, why) = chosen.split_once(": ").unwrap();
    assert!(why.contains("fastest") || why.contains("no AES instructions"), "{why}");
    assert!(check(&rig, &[], "self-test").starts_with(&format!("{engine} passes, in ")));
    let engines = check(&rig, &[], "engines");
    for name in ["vaes512", "vaes256", "aesni", "portable", "xts-mode"] {
        assert!(engines.contains(name), "{engines}");
    }
}

#[test]
fn the_file_in_the_state_directory_is_found_and_a_named_one_goes_before_it() {
    let rig = rig();
    fs::create_dir(rig.state_dir()).unwrap();
    let in_state_dir = asks_for(&rig, "state/config.toml", "xts-mode");
    assert_eq!(check(&rig, &[], "config"), in_state_dir.to_str().unwrap());
    assert_eq!(check(&rig, &[], "cipher"), "xts-mode: the configuration asks for it");
    let named = asks_for(&rig, "named.toml", "portable");
    let option = ["--config", named.to_str().unwrap()];
    assert_eq!(check(&rig, &option, "config"), named.to_str().unwrap());
    assert_eq!(check(&rig, &option, "cipher"), "portable: the configuration asks for it");
    let rig = rig.with("SEAR_CONFIG", Some(&named));
    assert_eq!(check(&rig, &[], "config"), named.to_str().unwrap());
    assert_eq!(check(&rig, &["--config", in_state_dir.to_str().unwrap()], "config"), in_state_dir.to_str().unwrap());
}

#[test]
fn the_variable_goes_before_the_file_for_doctor_and_for_up() {
    let rig = rig();
    let file = asks_for(&rig, "c.toml", "xts-mode");
    let option = ["--config", file.to_str().unwrap()];
    assert_eq!(engine_of_up(&rig, &option), "xts-mode");
    let rig = rig.with("SEAR_CIPHER", Some("portable"));
    assert_eq!(check(&rig, &option, "cipher"), "portable: SEAR_CIPHER asks for it");
    assert_eq!(engine_of_up(&rig, &option), "portable");
    let rig = rig.with("SEAR_CIPHER", Some(""));
    assert_eq!(engine_of_up(&rig, &option), "xts-mode", "an empty variable asks for nothing");
}

#[test]
fn a_wrong_engine_is_refused_by_who_asks_for_it_before_anything_is_made() {
    let rig = rig();
    let file = asks_for(&rig, "c.toml", "vaes9000");
    let (disk, file) = (rig.path("disk"), file.to_str().unwrap().to_owned());
    let up = ["--config", &file, "up", disk.to_str().unwrap(), "--size", "1M"];
    rig.run(up).fails(2, &[&file, "cipher.engine", "\"vaes9000\"", "unset it or choose one of", "portable"]);
    let document: Value = serde_json::from_str(&rig.run(["--json"].iter().chain(&up)).stdout).unwrap();
    assert_eq!(document["error"]["kind"], "usage");
    assert!(check(&rig, &["--config", &file], "cipher").contains(&file));
    let rig = rig.with("SEAR_CIPHER", Some("none"));
    let ran = rig.run(up);
    assert!(!ran.stderr.contains("c.toml"), "the variable is wrong, not the file: {}", ran.stderr);
    ran.fails(2, &["SEAR_CIPHER", "\"none\"", "choose one of"]);
    assert!(!disk.exists() && !rig.state_dir().exists());
}

#[test]
fn a_file_that_is_wrong_stops_up_with_its_place_and_doctor_tells_it() {
    let rig = rig();
    let disk = rig.path("disk");
    for (text, place, word) in [
        ("[cipher]\nengin = \"aesni\"\n", ":2:1: ", "unknown key `engin`, expected `engine`"),
        ("[cypher]\n", ":1:2: ", "unknown key `cypher`, expected one of `cipher`"),
        ("[cipher]\nengine = [1]\n", ":2:10: ", "cipher.engine"),
        ("[cipher\n", ":1:", "c.toml"),
    ] {
        let file = rig.file("c.toml", text.as_bytes()).to_str().unwrap().to_owned();
        let up = ["--config", &file, "up", disk.to_str().unwrap(), "--size", "1M"];
        rig.run(up).fails(2, &[&format!("{file}{place}"), word]);
        let checks = checks(&rig, &["--config", &file]);
        let config = checks.iter().find(|check| check["name"] == "config").unwrap();
        assert_eq!(config["level"], "bad", "{config}");
        assert!(config["found"].as_str().unwrap().contains(word), "{config}");
    }
    rig.run(["--config", "/no/such/file", "up", disk.to_str().unwrap(), "--size", "1M"])
        .fails(1, &["cannot read the configuration /no/such/file"]);
    assert!(!disk.exists() && !rig.state_dir().exists());
}
