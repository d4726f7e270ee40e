//! From a request header to a [`Request`] that may be run, or the error the protocol asks for.

use super::{Action, Errno, Refusal, Request, Session};
use crate::disk::Command;
use crate::export::nbd::exports::MAX_PAYLOAD;
use crate::export::nbd::wire::{RequestHeader, cmd, cmd_flag as flag};

const UNKNOWN_COMMAND: Refusal = Refusal::new(Errno::Inval, "unknown command");
const NO_TRIM: Refusal = Refusal::new(Errno::Inval, "trim was not offered: this volume does not allow discards");
const NO_CONTEXT: Refusal = Refusal::new(Errno::Inval, "block status without a negotiated metadata context");
const BAD_FLAGS: Refusal = Refusal::new(Errno::Inval, "a command flag is unknown, or not one of this command's");
const FLUSH_RANGE: Refusal = Refusal::new(Errno::Inval, "a flush has neither offset nor length");
const READ_ONLY: Refusal = Refusal::new(Errno::Perm, "the export is read-only");
const EMPTY_STATUS: Refusal = Refusal::new(Errno::Inval, "block status of no bytes");
const BEYOND_END_WRITE: Refusal = Refusal::new(Errno::NoSpc, "the range ends beyond the end of the export");
const BEYOND_END: Refusal = Refusal::new(Errno::Inval, "the range ends beyond the end of the export");
const UNALIGNED: Refusal = Refusal::new(Errno::Inval, "the range is not aligned to the minimum block size");
const LONG_READ: Refusal = Refusal::new(Errno::Overflow, "the read is longer than the maximum payload");
const LONG_PAYLOAD: Refusal = Refusal::new(Errno::Inval, "the payload is longer than the maximum");
const NOT_FAST: Refusal = Refusal::new(Errno::NotSup, "zeroes are encrypted and written, so never fast");

/// The request, or `None` for one of no bytes that has nothing to do.
///
/// The order of checks is the order in which a request becomes meaningful: command, flags, permission, range, size.
pub(super) fn check(header: &RequestHeader, session: &Session) -> Result<Option<Request>, Refusal> {
    let action = action(header, session)?;
    check_flags(header, session)?;
    if changes(action) && session.geometry.read_only {
        return Err(READ_ONLY);
    }
    let in_one_chunk = header.flags & flag::DF != 0;
    let request = Request { cookie: header.cookie, action, offset: header.offset, len: header.len, in_one_chunk };
    if action == Action::Disk(Command::Flush) {
        return if (header.offset, header.len) == (0, 0) { Ok(Some(request)) } else { Err(FLUSH_RANGE) };
    }
    check_range(&request, session)?;
    check_size(&request, session)?;
    if header.flags & flag::FAST_ZERO != 0 {
        return Err(NOT_FAST);
    }
    match action {
        Action::BlockStatus if request.len == 0 => Err(EMPTY_STATUS),
        _ => Ok((request.len > 0).then_some(request)),
    }
}

fn action(header: &RequestHeader, session: &Session) -> Result<Action, Refusal> {
    let fua = header.flags & flag::FUA != 0;
    Ok(Action::Disk(match header.command {
        cmd::READ => Command::Read,
        cmd::WRITE => Command::Write { fua },
        cmd::FLUSH => Command::Flush,
        cmd::TRIM if session.geometry.discards || session.geometry.read_only => Command::Trim { fua },
        cmd::TRIM => return Err(NO_TRIM),
        cmd::CACHE => Command::Cache,
        cmd::WRITE_ZEROES => Command::WriteZeroes { fua },
        cmd::BLOCK_STATUS if session.block_status => return Ok(Action::BlockStatus),
        cmd::BLOCK_STATUS => return Err(NO_CONTEXT),
        _ => return Err(UNKNOWN_COMMAND),
    }))
}

/// FUA is legal everywhere; each other flag belongs to one command.
fn check_flags(header: &RequestHeader, session: &Session) -> Result<(), Refusal> {
    let own = match header.command {
        cmd::READ if session.structured => flag::DF,
        cmd::WRITE_ZEROES => flag::NO_HOLE | flag::FAST_ZERO,
        cmd::BLOCK_STATUS => flag::REQ_ONE,
        _ => 0,
    };
    if header.flags & !(flag::FUA | own) == 0 { Ok(()) } else { Err(BAD_FLAGS) }
}

fn changes(action: Action) -> bool {
    matches!(action, Action::Disk(Command::Write { .. } | Command::WriteZeroes { .. } | Command::Trim { .. }))
}

fn check_range(request: &Request, session: &Session) -> Result<(), Refusal> {
    let end = request.offset.checked_add(u64::from(request.len));
    if end.is_none_or(|end| end > session.geometry.len.0) {
        let writes = matches!(request.action, Action::Disk(Command::Write { .. } | Command::WriteZeroes { .. }));
        return Err(if writes { BEYOND_END_WRITE } else { BEYOND_END });
    }
    let sector = session.geometry.sector_size.bytes();
    let aligned = request.offset.is_multiple_of(u64::from(sector)) && request.len.is_multiple_of(sector);
    if session.strict_alignment && !aligned { Err(UNALIGNED) } else { Ok(()) }
}

fn check_size(request: &Request, session: &Session) -> Result<(), Refusal> {
    match request.action {
        _ if request.payload_len() <= MAX_PAYLOAD => Ok(()),
        Action::Disk(Command::Read) if session.structured => Err(LONG_READ),
        _ => Err(LONG_PAYLOAD),
    }
}
