//! The traced program: stepped from one of its stops to the next.

use std::fs;
use std::process::{Child, Command};

use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::probe::{Job, Secret, program};

use super::one_cpu::OneCpu;
use super::state::State;

/// Without a cache per thread, `calloc` gives out what was freed before: the ciphers of one program, of which only one
/// is there at a time, all lie at one address.
const LAST_FREED_FIRST: &str = "glibc.malloc.tcache_count=0";

/// The states before each step of one call, and of the code around it that stops the program.
pub struct Trace {
    /// One for each instruction, in order.
    pub states: Vec<State>,
    /// Where the program's file begins in memory: an instruction's address less this is what `addr2line` takes.
    pub base: u64,
}

/// One trace for each of `secrets`.
///
/// # Panics
/// When the program cannot be traced, or does anything but stop and exit.
#[must_use]
pub fn traces(job: Job, secrets: &[Secret]) -> Vec<Trace> {
    let mut tracee = Tracee::spawn(job, secrets);
    let base = tracee.base();
    let traces = secrets.iter().map(|_| {
        let mut states = Vec::new();
        tracee.walk(|pid| states.push(ptrace::getregs(pid).expect("a stopped program shows its registers").into()));
        Trace { states, base }
    });
    let traces = traces.collect();
    tracee.finish();
    traces
}

/// The program, at its first stop or past a [`Self::walk`].
pub(super) struct Tracee {
    child: Child,
    pid: Pid,
    /// Whether it has ended and was waited for: from then on, the process id may be somebody else's.
    ended: bool,
    _cpu: OneCpu,
}

impl Tracee {
    /// Starts the program and waits until it has stopped before its first call. The calling thread is its tracer.
    pub(super) fn spawn(job: Job, secrets: &[Secret]) -> Self {
        let line = format!("trace {job}");
        let mut command = Command::new(program());
        command.env("GLIBC_TUNABLES", LAST_FREED_FIRST);
        command.args(line.split(' ')).args(secrets.iter().map(Secret::to_string));
        let cpu = OneCpu::next();
        let child = command.spawn().unwrap_or_else(|error| panic!("cipher-probe cannot be run: {error}"));
        let pid = Pid::from_raw(child.id().try_into().expect("process ids are small"));
        let tracee = Self { child, pid, ended: false, _cpu: cpu };
        tracee.expect_stop();
        tracee
    }

    /// Steps from the stop before a call to the one after it, with a look before each step, then goes on to the stop
    /// before the next call or to the end.
    pub(super) fn walk(&mut self, mut look: impl FnMut(Pid)) {
        loop {
            look(self.pid);
            ptrace::step(self.pid, None).expect("a stopped program can be stepped");
            match self.wait() {
                WaitStatus::Stopped(_, Signal::SIGTRAP) => {}
                WaitStatus::Stopped(_, Signal::SIGSTOP) => break,
                other => panic!("a step ended in {other:?}"),
            }
        }
        ptrace::cont(self.pid, None).expect("a stopped program can go on");
        match self.wait() {
            WaitStatus::Stopped(_, Signal::SIGSTOP) => {}
            WaitStatus::Exited(_, 0) => self.ended = true,
            other => panic!("the program between two calls: {other:?}"),
        }
    }

    /// Checks that the call before was the last one.
    pub(super) fn finish(self) {
        assert!(self.ended, "the program has more calls to make");
    }

    fn expect_stop(&self) {
        let status = self.wait();
        assert!(matches!(status, WaitStatus::Stopped(_, Signal::SIGSTOP)), "the program does not stop: {status:?}");
    }

    fn wait(&self) -> WaitStatus {
        waitpid(self.pid, None).expect("a child can be waited for")
    }

    /// The first mapping of the program's own file.
    fn base(&self) -> u64 {
        let maps = fs::read_to_string(format!("/proc/{}/maps", self.pid)).expect("a child's mappings can be read");
        let start = maps.split('-').next().expect("a mapping starts with its address");
        u64::from_str_radix(start, 16).expect("addresses are hexadecimal")
    }
}

impl Drop for Tracee {
    /// Ends the program when a test has failed half-way.
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
