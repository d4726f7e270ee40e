//! Keeps key material out of core dumps, debuggers and swap, from the first moment on.

use rustix::mm::MlockAllFlags;
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::CapabilitySet;
use tracing::debug;

use super::report;

/// No limit at all.
const NONE: Rlimit = Rlimit { current: None, maximum: None };

/// Applied to every run, before the first secret exists: no core dump, no ptrace by the same user.
pub(crate) fn seal_process() {
    let no_core = Rlimit { current: Some(0), maximum: Some(0) };
    report("switch off core dumps", setrlimit(Resource::Core, no_core));
    report("make the process not dumpable", rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable));
}

/// Applied when secrets will be held: memory is locked as it is touched, where that cannot starve the process.
///
/// Under a finite memory-lock limit `MCL_FUTURE` makes later allocations fail, so the lock is taken only with
/// `CAP_IPC_LOCK` or without a limit; `sear doctor` says how to get there. Whoever may lift the limit does: then the
/// capability is not needed any more. Whether memory is locked.
pub(crate) fn lock_memory() -> bool {
    if let Err(error) = setrlimit(Resource::Memlock, NONE) {
        debug!(%error, "the memory-lock limit stays");
    }
    if may_lock_everything() {
        let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
        report("lock memory", rustix::mm::mlockall(flags)).is_some()
    } else {
        debug!("memory is not locked: the memory-lock limit is finite (see `sear doctor`)");
        false
    }
}

/// Applied to a server: a mounted filesystem may sit on top of it, and memory reclaim that waits for that filesystem
/// would wait for itself (prctl(2), `PR_SET_IO_FLUSHER`; needs `CAP_SYS_RESOURCE`).
pub(crate) fn become_io_flusher() {
    if let Err(error) = rustix::process::configure_io_flusher_behavior(true) {
        debug!(%error, "not marked as an I/O flusher");
    }
}

/// Applied to a daemon that is not to be confined otherwise: neither it nor what it starts can get more than it has.
pub(crate) fn forbid_new_privileges() {
    report("forbid new privileges", rustix::thread::set_no_new_privs(true));
}

/// Whether locking all memory cannot run into a limit.
pub(crate) fn may_lock_everything() -> bool {
    let privileged =
        rustix::thread::capabilities(None).is_ok_and(|sets| sets.effective.contains(CapabilitySet::IPC_LOCK));
    privileged || getrlimit(Resource::Memlock).current.is_none()
}

/// What a process with locked memory must keep, or its next allocation fails.
pub(super) fn capabilities_for_locked_memory() -> CapabilitySet {
    match getrlimit(Resource::Memlock).current {
        None => CapabilitySet::empty(),
        Some(_) => CapabilitySet::IPC_LOCK,
    }
}
