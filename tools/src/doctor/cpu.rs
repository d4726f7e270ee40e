//! AES instructions, and the cipher engine that they lead to.

use datapath::cipher::dispatch;

use super::Check;

/// The processor's features, then the engine.
pub(super) fn checks() -> Vec<Check> {
    let features = features();
    let aes = features.contains(&"aes");
    let found = if features.is_empty() { "no AES instructions".to_owned() } else { features.join(", ") };
    let cpu = if aes {
        Check::good("cpu", found, "the processor encrypts in hardware, in constant time")
    } else {
        Check::bad(
            "cpu",
            found,
            "AES runs in software: safe (constant time), but many times slower",
            "in a virtual machine, pass the host's processor through (QEMU: -cpu host)",
        )
    };
    vec![cpu, engine()]
}

/// The engine that a volume opened now would use.
fn engine() -> Check {
    let meaning = "computes AES-256-XTS; chosen when a volume opens, after a self-test";
    match dispatch::choose(None) {
        Ok(choice) => Check::good("cipher", format!("{}: {}", choice.engine, choice.why), meaning),
        Err(error) => Check::bad("cipher", error.to_string(), meaning, "unset the variable"),
    }
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    [
        ("aes", is_x86_feature_detected!("aes")),
        ("pclmulqdq", is_x86_feature_detected!("pclmulqdq")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("vaes", is_x86_feature_detected!("vaes")),
        ("vpclmulqdq", is_x86_feature_detected!("vpclmulqdq")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512vl", is_x86_feature_detected!("avx512vl")),
        ("avx512bw", is_x86_feature_detected!("avx512bw")),
    ]
    .into_iter()
    .filter_map(|(name, present)| present.then_some(name))
    .collect()
}

#[cfg(target_arch = "aarch64")]
fn features() -> Vec<&'static str> {
    use std::arch::is_aarch64_feature_detected;
    [("aes", is_aarch64_feature_detected!("aes")), ("neon", is_aarch64_feature_detected!("neon"))]
        .into_iter()
        .filter_map(|(name, present)| present.then_some(name))
        .collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn features() -> Vec<&'static str> {
    Vec::new()
}
