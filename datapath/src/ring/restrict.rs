//! A ring that does nothing but what the data path does: a program that was taken over cannot open, connect or unlink
//! through it.

use std::io;

use io_uring::register::Restriction;
use io_uring::{Submitter, opcode, squeue};

/// `IORING_REGISTER_FILES_UPDATE`: files come and go with connections.
const FILES_UPDATE: u8 = 6;

/// What may be submitted.
const ALLOWED: [u8; 11] = [
    opcode::ReadFixed::CODE,
    opcode::Read::CODE,
    opcode::WriteFixed::CODE,
    opcode::Write::CODE,
    opcode::Fsync::CODE,
    opcode::Recv::CODE,
    opcode::SendMsg::CODE,
    opcode::PollAdd::CODE,
    opcode::Timeout::CODE,
    opcode::UringCmd16::CODE,
    opcode::AsyncCancel2::CODE,
];

/// Restricts a ring that is not enabled yet; it stays so for good.
pub(super) fn apply(submitter: &Submitter<'_>) -> io::Result<()> {
    let flags = squeue::Flags::FIXED_FILE | squeue::Flags::BUFFER_SELECT;
    let mut rules: Vec<Restriction> = ALLOWED.iter().map(|code| Restriction::sqe_op(*code)).collect();
    rules.push(Restriction::sqe_flags_allowed(flags.bits()));
    rules.push(Restriction::register_op(FILES_UPDATE));
    submitter.register_restrictions(&mut rules)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use io_uring::{IoUring, types};
    use rustix::io::Errno;

    use super::*;

    const NO_FILE: types::Fd = types::Fd(-1);

    fn ring(restricted: bool) -> IoUring {
        let ring = IoUring::builder().setup_r_disabled().build(8).unwrap();
        if restricted {
            apply(&ring.submitter()).unwrap();
        }
        ring.submitter().register_enable_rings().unwrap();
        ring
    }

    /// What becomes of an operation.
    fn outcome(ring: &mut IoUring, entry: &squeue::Entry) -> Option<Errno> {
        // SAFETY: the addresses in the entries of these tests are null, or of a static string.
        unsafe { ring.submission().push(entry).unwrap() };
        ring.submit_and_wait(1).unwrap();
        let result = ring.completion().next().unwrap().result();
        (result < 0).then(|| Errno::from_raw_os_error(-result))
    }

    /// Ways out of the process.
    fn forbidden() -> Vec<(&'static str, squeue::Entry)> {
        let path = c"/etc/passwd".as_ptr();
        let here = types::Fd(libc::AT_FDCWD);
        let null: *const u8 = std::ptr::null();
        vec![
            ("nop", opcode::Nop::new().build()),
            ("openat", opcode::OpenAt::new(here, path).build()),
            ("unlinkat", opcode::UnlinkAt::new(here, c"/nothing/there".as_ptr()).build()),
            ("statx", opcode::Statx::new(here, path, std::ptr::null_mut()).build()),
            ("socket", opcode::Socket::new(libc::AF_UNIX, libc::SOCK_STREAM, 0).build()),
            ("connect", opcode::Connect::new(NO_FILE, null.cast(), 0).build()),
            ("accept", opcode::Accept::new(NO_FILE, std::ptr::null_mut(), std::ptr::null_mut()).build()),
            ("splice", opcode::Splice::new(NO_FILE, 0, NO_FILE, 0, 1).build()),
            ("readv", opcode::Readv::new(NO_FILE, null.cast(), 0).build()),
            ("fallocate", opcode::Fallocate::new(NO_FILE, 1).build()),
            ("a linked timeout", opcode::LinkTimeout::new(null.cast()).build()),
            ("a link", opcode::Fsync::new(NO_FILE).build().flags(squeue::Flags::IO_LINK)),
        ]
    }

    #[test]
    fn a_restricted_ring_refuses_what_the_data_path_does_not_do() {
        let (mut free, mut bound) = (ring(false), ring(true));
        for (name, entry) in forbidden() {
            assert_ne!(outcome(&mut free, &entry), Some(Errno::ACCESS), "{name} without restrictions");
            assert_eq!(outcome(&mut bound, &entry), Some(Errno::ACCESS), "{name}");
        }
    }

    #[test]
    fn a_restricted_ring_does_what_the_data_path_does() {
        let fsync = opcode::Fsync::new(NO_FILE).build();
        assert_eq!(outcome(&mut ring(true), &fsync), Some(Errno::BADF), "it is tried");
    }

    #[test]
    fn a_restricted_ring_registers_nothing_but_files_and_gets_no_other_restrictions() {
        let (free, bound) = (ring(false), ring(true));
        assert!(free.submitter().register_personality().is_ok());
        let refused = |result: io::Result<()>| assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::EACCES));
        refused(bound.submitter().register_personality().map(drop));
        refused(bound.submitter().register_eventfd(-1));
        refused(bound.submitter().register_files(&[-1]));
        refused(bound.submitter().register_restrictions(&mut [Restriction::sqe_op(opcode::OpenAt::CODE)]));
    }
}
