//! Which processors the servers and the load may use.

use std::io;
use std::process::{Child, Command};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// A set of processors for one side.
#[derive(Clone, Copy)]
pub(crate) struct Cores(CpuSet);

/// The processors of both sides.
#[derive(Clone, Copy)]
pub(crate) struct Sides {
    /// The servers'.
    pub(crate) server: Cores,
    /// The load's.
    pub(crate) load: Cores,
    /// All that this process may use.
    pub(crate) all: Cores,
}

impl Sides {
    /// The first processor for the servers and the second for the load; on a machine with one, both share it.
    ///
    /// # Errors
    /// When the system does not tell which processors there are.
    pub(crate) fn of_this_machine() -> io::Result<Self> {
        let all = sched_getaffinity(None)?;
        let ids: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| all.is_set(*cpu)).collect();
        let only = |cpu: Option<&usize>| {
            let mut set = CpuSet::new();
            cpu.into_iter().for_each(|cpu| set.set(*cpu));
            Cores(set)
        };
        Ok(Self { server: only(ids.first()), load: only(ids.get(1).or(ids.first())), all: Cores(all) })
    }
}

impl Cores {
    /// Starts a program whose threads and children may use these processors only. A child inherits the processors of
    /// the thread that starts it, so this thread moves there for a moment.
    ///
    /// # Errors
    /// When the program cannot be started, or the processors are refused.
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        let before = sched_getaffinity(None)?;
        sched_setaffinity(None, &self.0)?;
        let child = command.spawn();
        sched_setaffinity(None, &before)?;
        child
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    #[test]
    fn a_program_gets_the_servers_processor_only_and_this_process_keeps_its_own() {
        let sides = Sides::of_this_machine().unwrap();
        let before = sched_getaffinity(None).unwrap();
        let mut command = Command::new("nproc");
        let child = sides.server.spawn(command.stdout(Stdio::piped())).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "1");
        assert_eq!(sched_getaffinity(None).unwrap(), before);
    }
}
