//! What a server can give up on this machine: system calls, files, capabilities.

use std::fs;

use rustix::thread::CapabilitySet;

use super::Check;
use crate::hardening::{LandlockStatus, landlock_status};

/// All of them.
pub(super) fn checks() -> Vec<Check> {
    vec![seccomp(), landlock(), privileges()]
}

fn seccomp() -> Check {
    let meaning = "a server allows itself only the system calls that serving consists of";
    let actions = fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail").unwrap_or_default();
    if actions.split_whitespace().any(|action| action == "errno") {
        return Check::good("seccomp", "works", meaning);
    }
    Check::note("seccomp", "not in this kernel", meaning, "use a kernel with CONFIG_SECCOMP_FILTER")
}

fn landlock() -> Check {
    let meaning = "a server can open no file any more, and bind or connect no TCP port";
    match landlock_status() {
        LandlockStatus::Available { effective_abi, .. } if effective_abi >= landlock::ABI::V4 => {
            Check::good("landlock", format!("works, version {}", effective_abi as i32), meaning)
        }
        LandlockStatus::Available { effective_abi, .. } => Check::note(
            "landlock",
            format!("works, version {}: files only", effective_abi as i32),
            meaning,
            "use Linux 6.7 or later to have TCP ports covered too",
        ),
        LandlockStatus::NotEnabled => {
            Check::note("landlock", "switched off", meaning, "add landlock to the kernel's parameter lsm=")
        }
        LandlockStatus::NotImplemented => Check::note(
            "landlock",
            "not in this kernel, or forbidden",
            meaning,
            "use Linux 5.13 or later; in a container, allow it in the seccomp profile",
        ),
    }
}

fn privileges() -> Check {
    let meaning = "a server keeps no capability once it serves, whoever started it";
    let held = rustix::thread::capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.permitted);
    match held.bits().count_ones() {
        0 => Check::good("privileges", "none", meaning),
        count => Check::good("privileges", format!("{count} capabilities, given up by a server"), meaning),
    }
}
