//! System calls: a list of those that serving consists of; every other fails with `EPERM`, in every thread.
//!
//! Not on the list, among thousands of ways to do harm: to start a program, to look into another process, to make a
//! socket or to connect one, to mount, to load a module, to make another ring, memory that can be run, or a namespace.
//! What the ring does for a thread passes by this filter; the ring has its own list (`datapath/src/ring/restrict.rs`).

use std::collections::BTreeMap;
use std::env::consts::ARCH;

use nix::libc;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

use super::Needs;

/// A system call that is allowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    number: i64,
    /// Every one must hold.
    only: &'static [Where],
}

/// Of an argument, counted from 0: its bits under the mask are this value. Arguments of 32 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Where {
    argument: u8,
    mask: u64,
    value: u64,
}

impl Call {
    /// Whatever its arguments.
    pub(crate) const fn any(number: i64) -> Self {
        Self { number, only: &[] }
    }

    /// With these arguments only.
    pub(crate) const fn only(number: i64, only: &'static [Where]) -> Self {
        Self { number, only }
    }
}

impl Where {
    /// The argument is `value`.
    pub(crate) const fn is(argument: u8, value: u64) -> Self {
        Self { argument, mask: 0xffff_ffff, value }
    }
}

/// Of `mmap` and `mprotect`: memory that cannot be run.
const NOT_EXECUTABLE: Where = Where { argument: 2, mask: libc::PROT_EXEC as u64, value: 0 };

/// Of `clone`: a thread, in the namespaces that there are.
const THREAD: Where = Where { argument: 0, mask: (THREAD_FLAG | NAMESPACE_FLAGS) as u64, value: THREAD_FLAG as u64 };
const THREAD_FLAG: i32 = libc::CLONE_THREAD;
const NAMESPACE_FLAGS: i32 = libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET;

/// What every server does.
const SERVING: &[&[Call]] = &[
    &all([
        // open files, sockets and pipes
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_readv,
        libc::SYS_writev,
        libc::SYS_pread64,
        libc::SYS_pwrite64,
        libc::SYS_preadv2,
        libc::SYS_pwritev2,
        libc::SYS_lseek,
        libc::SYS_fsync,
        libc::SYS_fdatasync,
        libc::SYS_fallocate,
        libc::SYS_ftruncate,
        libc::SYS_fstat,
        libc::SYS_fcntl,
        libc::SYS_dup,
        libc::SYS_dup3,
        libc::SYS_close,
        libc::SYS_ppoll,
        // connections of listeners that there are
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_recvfrom,
        libc::SYS_recvmsg,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_shutdown,
        libc::SYS_getsockopt,
        // the ring
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
    ]),
    &all([
        // the end: is the socket's file still ours? then it goes (Landlock says where that may be)
        libc::SYS_statx,
        libc::SYS_newfstatat,
        libc::SYS_unlinkat,
        // memory
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        // threads and signals of our own
        libc::SYS_futex,
        libc::SYS_set_robust_list,
        libc::SYS_rseq,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_gettid,
        libc::SYS_getpid,
        libc::SYS_getuid,
        libc::SYS_geteuid,
        libc::SYS_getgid,
        libc::SYS_getegid,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        libc::SYS_exit,
        libc::SYS_exit_group,
        // passes here and is answered by `no_clone3`
        libc::SYS_clone3,
        // time and randomness
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_getrandom,
    ]),
    &[
        Call::only(libc::SYS_mmap, &[NOT_EXECUTABLE]),
        Call::only(libc::SYS_mprotect, &[NOT_EXECUTABLE]),
        Call::only(libc::SYS_clone, &[THREAD]),
        Call::only(libc::SYS_prctl, &[Where::is(0, libc::PR_SET_NAME as u64)]),
        Call::only(
            libc::SYS_setsockopt,
            &[Where::is(1, libc::IPPROTO_TCP as u64), Where::is(2, libc::TCP_NODELAY as u64)],
        ),
        Call::only(
            libc::SYS_setsockopt,
            &[Where::is(1, libc::SOL_SOCKET as u64), Where::is(2, libc::SO_KEEPALIVE as u64)],
        ),
        Call::only(
            libc::SYS_setsockopt,
            &[Where::is(1, libc::SOL_SOCKET as u64), Where::is(2, libc::SO_SNDBUF as u64)],
        ),
    ],
    // what newer architectures do without
    #[cfg(target_arch = "x86_64")]
    &all([libc::SYS_poll, libc::SYS_unlink, libc::SYS_dup2]),
];

const fn all<const N: usize>(numbers: [i64; N]) -> [Call; N] {
    let mut calls = [Call::any(0); N];
    let mut at = 0;
    while at < N {
        calls[at] = Call::any(numbers[at]);
        at += 1;
    }
    calls
}

/// Filters what every thread calls from now on.
///
/// # Errors
/// When this architecture has no filter, or the kernel refuses it.
pub(super) fn filter(needs: &Needs) -> Result<(), seccompiler::Error> {
    // Of two answers the stricter holds, and the last filter's where they are alike.
    seccompiler::apply_filter_all_threads(&no_clone3()?)?;
    seccompiler::apply_filter_all_threads(&only(SERVING.iter().copied().flatten().chain(&needs.calls))?)?;
    Ok(())
}

/// `clone3` takes its flags in memory, where no filter sees them. Without it, the C library takes `clone`.
fn no_clone3() -> Result<BpfProgram, BackendError> {
    let rules = [(libc::SYS_clone3, Vec::new())].into();
    compile(rules, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32))
}

fn only<'a>(calls: impl Iterator<Item = &'a Call>) -> Result<BpfProgram, BackendError> {
    let mut rules = BTreeMap::<i64, Vec<SeccompRule>>::new();
    let (some, all): (Vec<&Call>, Vec<&Call>) = calls.partition(|call| !call.only.is_empty());
    for call in some {
        rules.entry(call.number).or_default().push(rule(call)?);
    }
    // No rule: whatever the arguments.
    rules.extend(all.into_iter().map(|call| (call.number, Vec::new())));
    compile(rules, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow)
}

fn rule(call: &Call) -> Result<SeccompRule, BackendError> {
    let condition = |Where { argument, mask, value }: &Where| {
        SeccompCondition::new(*argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(*mask), *value)
    };
    SeccompRule::new(call.only.iter().map(condition).collect::<Result<_, _>>()?)
}

fn compile(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    others: SeccompAction,
    these: SeccompAction,
) -> Result<BpfProgram, BackendError> {
    SeccompFilter::new(rules, others, these, TargetArch::try_from(ARCH)?)?.try_into()
}
