//! The configuration, the cipher engine that it leads to, and the other engines.

use std::time::Instant;

use datapath::cipher::dispatch::{self, Engine, EngineName};
use datapath::cipher::features::{Feature, Features};
use datapath::cipher::selftest;

use super::Check;
use crate::config::{Config, ConfigError};
use crate::error::Error;

/// Without a configuration that can be used, the rest is told as if there were none.
pub(super) fn checks(config: Result<Config, ConfigError>) -> Vec<Check> {
    let (file, config) = match config {
        Ok(config) => (found(&config), config),
        Err(error) => (broken(error), Config::default()),
    };
    let mut checks = vec![file];
    checks.extend(chosen(&config));
    checks.push(engines());
    checks
}

fn found(config: &Config) -> Check {
    let found = config.path().map_or_else(|| "no file".to_owned(), |path| path.display().to_string());
    Check::good("config", found, "the configuration; without it, everything is at its default")
}

fn broken(error: ConfigError) -> Check {
    let meaning = "the configuration; no volume is served while it is wrong";
    Check::bad("config", tell(&error.into()), meaning, "correct the file, or name another one with --config")
}

/// The engine that a volume opened now would use, and whether it computes AES-XTS.
fn chosen(config: &Config) -> Vec<Check> {
    let meaning = "computes AES-256-XTS; chosen when a volume opens, after a self-test";
    match config.engine() {
        Ok(choice) => {
            let engine = Check::good("cipher", format!("{}: {}", choice.engine, choice.why), meaning);
            vec![engine, self_test(choice.engine)]
        }
        Err(error) => vec![Check::bad("cipher", tell(&error), meaning, "until then no volume is served")],
    }
}

fn self_test(engine: Engine) -> Check {
    let meaning = "published vectors, and agreement with a plain model; before every volume that is served";
    let start = Instant::now();
    match selftest::run(engine) {
        Ok(()) => {
            let millis = start.elapsed().as_secs_f64() * 1e3;
            Check::good("self-test", format!("{engine} passes, in {millis:.1} ms"), meaning)
        }
        Err(error) => {
            Check::bad("self-test", error.to_string(), meaning, "choose another engine: SEAR_CIPHER=portable")
        }
    }
}

/// Every engine, the preferred one first, and what this processor lacks for it.
fn engines() -> Check {
    let features = Features::detect();
    let all: Vec<String> = EngineName::ALL.into_iter().map(|name| describe(name, features)).collect();
    let (found, meaning) = (all.join(", "), "every cipher engine, the preferred one first");
    if EngineName::ALL.into_iter().all(|name| Engine::new(name, features).is_some()) {
        return Check::good("engines", found, meaning);
    }
    let change = "nothing on this processor; in a virtual machine, pass the host's through (QEMU: -cpu host)";
    Check::note("engines", found, meaning, change)
}

fn describe(name: EngineName, features: Features) -> String {
    if Engine::new(name, features).is_some() {
        return name.to_string();
    }
    let missing: Vec<&str> = dispatch::missing(name, features).into_iter().map(Feature::as_str).collect();
    match missing.as_slice() {
        [] => format!("{name} (not here: written for another architecture)"),
        missing => format!("{name} (not here: the processor has no {})", missing.join(", no ")),
    }
}

/// An error with its causes, on one line.
fn tell(error: &Error) -> String {
    [vec![error.to_string()], error.causes()].concat().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_cannot_run_is_told_with_the_features_that_it_lacks() {
        let bare = Feature::ALL.into_iter().fold(Features::detect(), Features::without);
        let aesni = describe(EngineName::AesNi, bare);
        assert_eq!(aesni, "aesni (not here: the processor has no aes, no pclmulqdq, no avx2)");
        assert_eq!(describe(EngineName::Portable, bare), "portable");
    }
}
