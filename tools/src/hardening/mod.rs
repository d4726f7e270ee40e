//! What a process of Sear gives up, so that whoever takes it over, or looks at it from beside, gets as little as
//! possible. docs/hardening.md has the whole list.
//!
//! ```text
//! every run    ── seal_process ─▶ no core dump, no debugger
//! a server     ── lock_memory, become_io_flusher ─▶ [ open, bind, start ] ── confine ─▶ ready
//!                  confine: each thread: no new privileges, no capabilities, Landlock; then all at once: seccomp
//! ```
//! Each measure is tried; a refusal is logged, not fatal, because an unprivileged user and an old kernel must be able to
//! run Sear too. `sear doctor` tells what a machine offers.

mod landlock;
mod privileges;
mod process;
mod seccomp;
#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::thread::CapabilitySet;
use tracing::{debug, warn};

pub(crate) use self::landlock::{LandlockStatus, status as landlock_status};
pub(crate) use process::{become_io_flusher, forbid_new_privileges, lock_memory, may_lock_everything, seal_process};
pub(crate) use seccomp::{Call, Where};

/// What a server still does after its start, besides answering clients from what is open. The default: nothing. Each way
/// of serving adds its own.
#[derive(Clone, Debug)]
pub(crate) struct Needs {
    /// Files that are removed at the end. Landlock can only allow it for the whole of a file's directory.
    pub(crate) removes: Vec<PathBuf>,
    /// Files and devices that are opened for reading, writing and ioctls.
    pub(crate) opens: Vec<PathBuf>,
    /// Files and devices that volumes lie on: opened, read, written, made longer.
    pub(crate) volumes: Vec<PathBuf>,
    /// Directories below which files are made, changed and removed, but not run.
    pub(crate) changes: Vec<PathBuf>,
    /// Files that are read, and directories below which they are.
    pub(crate) reads: Vec<PathBuf>,
    /// Whether it connects to TCP servers.
    pub(crate) connects: bool,
    /// System calls beyond those that every server makes.
    pub(crate) calls: Vec<Call>,
    /// Capabilities beyond none.
    pub(crate) capabilities: CapabilitySet,
}

impl Default for Needs {
    fn default() -> Self {
        let [removes, opens, volumes, changes, reads] = [const { Vec::new() }; 5];
        let (connects, calls, capabilities) = (false, Vec::new(), CapabilitySet::empty());
        Self { removes, opens, volumes, changes, reads, connects, calls, capabilities }
    }
}

/// What a thread does to itself.
pub(crate) type Act = Arc<dyn Fn() + Send + Sync>;

/// Confines the process to its needs. `others` lets each thread but the calling one act. Threads that come later
/// inherit everything.
pub(crate) fn confine(needs: &Needs, others: impl FnOnce(&Act) -> std::io::Result<()>) {
    let keep = needs.capabilities | process::capabilities_for_locked_memory();
    let rules = report("make rules for files", self::landlock::rules(needs));
    let act: Act = Arc::new(move || {
        report("drop privileges", privileges::drop_all_but(keep));
        if let Some(rules) = &rules
            && report("confine a thread by Landlock", self::landlock::restrict(rules)) == Some(false)
        {
            debug!("the kernel has no Landlock");
        }
    });
    report("confine the threads that serve", others(&act));
    act();
    report("filter system calls", seccomp::filter(needs));
}

fn report<T, E: Display>(what: &str, result: Result<T, E>) -> Option<T> {
    result.inspect_err(|error| warn!(%error, "could not {what}")).ok()
}
