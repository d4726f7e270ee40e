//! Short turns on the processor for threads that clients wait for.
//!
//! The scheduler lets a thread that runs finish its turn, some milliseconds, before one that has just been woken gets the
//! processor. One that asks for shorter turns goes first, and is no greedier for it: over time each gets its share
//! (Linux 6.12, `sched_runtime` of sched_setattr(2) for `SCHED_OTHER`). Older kernels ignore the wish.

#![expect(unsafe_code, reason = "system calls about how a thread is scheduled, which no library wraps")]

use std::io;

/// Far longer than what a turn of a worker's loop takes; the shortest that the kernel accepts.
const TURN_NANOSECONDS: u64 = 100_000;

/// Asks for them, for the calling thread. A thread that somebody has given a policy of its own keeps it.
///
/// # Errors
/// The operating system's refusal; the thread then runs as before.
pub(super) fn ask() -> io::Result<()> {
    let mut attributes = read()?;
    if attributes.sched_policy != libc::SCHED_OTHER as u32 {
        return Ok(());
    }
    attributes.sched_runtime = TURN_NANOSECONDS;
    // SAFETY: the kernel reads as many bytes as the structure says that it has, which `read` has filled in.
    let result = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// How the calling thread is scheduled.
fn read() -> io::Result<libc::sched_attr> {
    let size = u32::try_from(size_of::<libc::sched_attr>()).map_err(io::Error::other)?;
    let (policy, flags, nice, priority) = (0, 0, 0, 0);
    let mut attributes = libc::sched_attr {
        size,
        sched_policy: policy,
        sched_flags: flags,
        sched_nice: nice,
        sched_priority: priority,
        sched_runtime: 0,
        sched_deadline: 0,
        sched_period: 0,
    };
    // SAFETY: the kernel writes at most `size` bytes, and that is the structure's size.
    let result = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attributes, size, 0) };
    if result == 0 { Ok(attributes) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_asks_for_itself_and_keeps_its_share() {
        let (before, after) = thread::spawn(|| {
            let before = read().unwrap();
            ask().unwrap();
            (before, read().unwrap())
        })
        .join()
        .unwrap();
        assert_eq!((after.sched_policy, after.sched_nice), (before.sched_policy, before.sched_nice));
        // Kernels before 6.12 tell 0.
        assert!([0, TURN_NANOSECONDS].contains(&after.sched_runtime), "{}", after.sched_runtime);
        let here = read().unwrap();
        assert_eq!(here.sched_runtime, before.sched_runtime, "nobody else's turns changed");
    }

    #[test]
    fn a_policy_that_was_given_stays() {
        thread::spawn(|| {
            let mut batch = read().unwrap();
            batch.sched_policy = libc::SCHED_BATCH as u32;
            // SAFETY: as in `ask`.
            assert_eq!(unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const batch, 0) }, 0);
            ask().unwrap();
            assert_eq!(read().unwrap().sched_policy, libc::SCHED_BATCH as u32);
        })
        .join()
        .unwrap();
    }
}
