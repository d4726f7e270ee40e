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
