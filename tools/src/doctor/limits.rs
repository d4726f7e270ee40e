//! What keeps keys in memory and out of dumps: lock limit, core pattern, swap, randomness.

use std::fs;

use keywrap::geometry::ByteLen;
use rustix::process::{Resource, getrlimit};

use super::Check;
use crate::hardening;

/// All of them.
pub(super) fn checks() -> Vec<Check> {
    vec![memory_lock(), swap(), core_dumps(), entropy()]
}

fn memory_lock() -> Check {
    let meaning = "locked memory never reaches swap";
    if hardening::may_lock_everything() {
        return Check::good("memory-lock", "unlimited", meaning);
    }
    let limit = getrlimit(Resource::Memlock).current.unwrap_or(u64::MAX);
    Check::note(
        "memory-lock",
        format!("limited to {}, so memory is not locked", ByteLen(limit)),
        meaning,
        "run as root, or raise it: LimitMEMLOCK=infinity in the service, `memlock unlimited` in limits.conf",
    )
}

fn swap() -> Check {
    let meaning = "memory that is not locked could be written there";
    let areas = fs::read_to_string("/proc/swaps").map_or(0, |text| text.lines().skip(1).count());
    match areas {
        0 => Check::good("swap", "none", "nothing of the memory reaches a disk"),
        _ if hardening::may_lock_everything() => {
            Check::good("swap", format!("{areas} in use, memory is locked"), meaning)
        }
        _ => {
            Check::note("swap", format!("{areas} in use"), meaning, "encrypt the swap, or unlock the memory-lock limit")
        }
    }
}

fn core_dumps() -> Check {
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap_or_default();
    let found = format!("off for sear; the system's pattern is {:?}", pattern.trim());
    Check::good("core-dumps", found, "sear sets its core limit to 0 and is not dumpable, whatever the pattern")
}

/// getrandom(2) with `GRND_NONBLOCK` answers only once the kernel's generator is seeded.
fn entropy() -> Check {
    let meaning = "every key comes from getrandom(2)";
    let mut byte = [0u8; 1];
    match rustix::rand::getrandom(&mut byte, rustix::rand::GetRandomFlags::NONBLOCK) {
        Ok(_) => Check::good("entropy", "the kernel's generator is seeded", meaning),
        Err(error) => Check::bad(
            "entropy",
            format!("not ready: {error}"),
            meaning,
            "wait until the machine has booted, or give it a hardware generator (virtio-rng)",
        ),
    }
}
