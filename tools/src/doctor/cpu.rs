//! AES instructions.

use super::Check;

/// The processor's features.
pub(super) fn check() -> Check {
    let features = features();
    let aes = features.contains(&"aes");
    let found = if features.is_empty() { "no AES instructions".to_owned() } else { features.join(", ") };
    if aes {
        Check::good("cpu", found, "the processor encrypts in hardware, in constant time")
    } else {
        Check::bad(
            "cpu",
            found,
            "AES runs in software: safe (constant time), but many times slower",
            "in a virtual machine, pass the host's processor through (QEMU: -cpu host)",
        )
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
