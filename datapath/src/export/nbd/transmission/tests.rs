//! Requests and replies, byte by byte.

use keywrap::geometry::{ByteLen, SectorSize};
use proptest::prelude::*;

use super::*;
use crate::export::nbd::exports::MAX_PAYLOAD;
use crate::export::nbd::wire::{cmd, cmd_flag as flag};

const LEN: u64 = 1 << 20;
const HUGE: u64 = 1 << 40;
const COOKIE: u64 = 0x0123_4567_89ab_cdef;

fn session() -> Session {
    let geometry = Geometry { len: ByteLen(LEN), sector_size: SectorSize::B4096, read_only: false, discards: true };
    Session { geometry, strict_alignment: false, structured: true, block_status: true }
}

fn with(change: impl FnOnce(&mut Session)) -> Session {
    let mut session = session();
    change(&mut session);
    session
}

fn header(command: u16, flags: u16, offset: u64, len: u32) -> Vec<u8> {
    let magic = wire::REQUEST_MAGIC.to_be_bytes();
    let parts = [&magic[..], &flags.to_be_bytes(), &command.to_be_bytes(), &COOKIE.to_be_bytes()];
    [&parts.concat()[..], &offset.to_be_bytes(), &len.to_be_bytes()].concat()
}

/// What came of a request, in a form that compares.
#[derive(Debug, PartialEq)]
enum Seen {
    Request(Request),
    Write(Request, Vec<u8>),
    Answer(u64, Result<(), Errno>),
    Disconnect,
    BadMagic(u32),
}

/// Gives `input` to a new machine in pieces of at most `piece` bytes.
fn receive(session: Session, mut input: &[u8], piece: usize) -> Vec<Seen> {
    let mut machine = Transmission::new(session);
    let mut seen = Vec::new();
    // A write in progress: the request, and its payload so far.
    let mut write: Option<(Request, Vec<u8>)> = None;
    while !input.is_empty() {
        let (mut now, rest) = input.split_at(piece.min(input.len()));
        input = rest;
        loop {
            if machine.payload_left() > 0 {
                let (_, payload) = write.as_mut().unwrap();
                payload.extend_from_slice(machine.payload(&mut now, 1000));
                if machine.payload_left() == 0 {
                    let (request, payload) = write.take().unwrap();
                    seen.push(Seen::Write(request, payload));
                }
            }
            if machine.payload_left() > 0 && !now.is_empty() {
                continue;
            }
            seen.push(match machine.advance(&mut now) {
                Ok(Event::Continue) if now.is_empty() => break,
                Ok(Event::Continue) if seen.last() == Some(&Seen::Disconnect) => return seen,
                Ok(Event::Continue) => continue,
                Ok(Event::Request(request)) if matches!(request.action, Action::Disk(Command::Write { .. })) => {
                    write = Some((request, Vec::new()));
                    continue;
                }
                Ok(Event::Request(request)) => Seen::Request(request),
                Ok(Event::Answer { cookie, result }) => Seen::Answer(cookie, result.map_err(|refusal| refusal.errno)),
                Ok(Event::Disconnect) => Seen::Disconnect,
                Err(BadMagic(magic)) => {
                    seen.push(Seen::BadMagic(magic));
                    return seen;
                }
            });
        }
    }
    seen
}

/// What comes of a single request without payload.
fn one(session: Session, command: u16, flags: u16, offset: u64, len: u32) -> Seen {
    let mut seen = receive(session, &header(command, flags, offset, len), usize::MAX);
    assert_eq!(seen.len(), 1);
    seen.remove(0)
}

fn refused(errno: Errno) -> Seen {
    Seen::Answer(COOKIE, Err(errno))
}

fn disk(command: Command, offset: u64, len: u32) -> Request {
    Request { cookie: COOKIE, action: Action::Disk(command), offset, len, in_one_chunk: false }
}

#[test]
fn every_command_becomes_its_operation() {
    for (command, flags, expected) in [
        (cmd::READ, 0, Command::Read),
        (cmd::TRIM, 0, Command::Trim { fua: false }),
        (cmd::TRIM, flag::FUA, Command::Trim { fua: true }),
        (cmd::CACHE, flag::FUA, Command::Cache),
        (cmd::WRITE_ZEROES, flag::NO_HOLE, Command::WriteZeroes { fua: false }),
        (cmd::WRITE_ZEROES, flag::FUA, Command::WriteZeroes { fua: true }),
    ] {
        assert_eq!(one(session(), command, flags, 512, 1024), Seen::Request(disk(expected, 512, 1024)));
    }
    let whole = Request { in_one_chunk: true, ..disk(Command::Read, 512, 1024) };
    assert_eq!(one(session(), cmd::READ, flag::DF, 512, 1024), Seen::Request(whole));
    assert_eq!(one(session(), cmd::FLUSH, 0, 0, 0), Seen::Request(disk(Command::Flush, 0, 0)));
    assert_eq!(one(session(), cmd::DISC, 0, 0, 0), Seen::Disconnect);
    for flags in [0, flag::REQ_ONE] {
        let expected = Request { cookie: COOKIE, action: Action::BlockStatus, offset: 0, len: 7, in_one_chunk: false };
        assert_eq!(one(session(), cmd::BLOCK_STATUS, flags, 0, 7), Seen::Request(expected));
    }
}

#[test]
fn a_write_takes_its_payload_with_it() {
    for (flags, fua) in [(0, false), (flag::FUA, true)] {
        let input = [&header(cmd::WRITE, flags, 3, 5)[..], b"hello", &header(cmd::DISC, 0, 0, 0)].concat();
        let expected = [Seen::Write(disk(Command::Write { fua }, 3, 5), b"hello".to_vec()), Seen::Disconnect];
        assert_eq!(receive(session(), &input, usize::MAX), expected);
    }
}

#[test]
fn a_refused_write_swallows_its_payload_before_it_is_answered() {
    let read_only = with(|session| session.geometry.read_only = true);
    let beyond = u32::try_from(LEN + 1).unwrap();
    for (session, flags, len, errno) in [
        (read_only, 0, 9000, Errno::Perm),
        (session(), flag::DF, 9000, Errno::Inval),
        (session(), 0, beyond, Errno::NoSpc),
    ] {
        let payload = vec![0x25; len as usize];
        let input = [&header(cmd::WRITE, flags, 0, len)[..], &payload, &header(cmd::FLUSH, 0, 0, 0)].concat();
        let expected = [refused(errno), Seen::Request(disk(Command::Flush, 0, 0))];
        assert_eq!(receive(session, &input, usize::MAX), expected);
    }
}

#[test]
fn unknown_commands_and_flags_of_other_commands_are_invalid() {
    for command in [8, 9, 255, u16::MAX] {
        assert_eq!(one(session(), command, 0, 0, 512), refused(Errno::Inval));
    }
    let own = |command, bit| match command {
        cmd::READ => bit == flag::DF,
        cmd::WRITE_ZEROES => bit == flag::NO_HOLE || bit == flag::FAST_ZERO,
        cmd::BLOCK_STATUS => bit == flag::REQ_ONE,
        _ => false,
    };
    for command in [cmd::READ, cmd::FLUSH, cmd::TRIM, cmd::CACHE, cmd::WRITE_ZEROES, cmd::BLOCK_STATUS] {
        for bit in (1..16).map(|shift| 1 << shift).filter(|bit| !own(command, *bit)) {
            assert_eq!(one(session(), command, bit, 0, 512), refused(Errno::Inval), "{command} {bit:#x}");
        }
    }
}

#[test]
fn what_was_not_negotiated_or_offered_is_invalid() {
    assert_eq!(one(with(|s| s.structured = false), cmd::READ, flag::DF, 0, 512), refused(Errno::Inval));
    assert_eq!(one(with(|s| s.block_status = false), cmd::BLOCK_STATUS, 0, 0, 512), refused(Errno::Inval));
    assert_eq!(one(with(|s| s.geometry.discards = false), cmd::TRIM, 0, 0, 512), refused(Errno::Inval));
}

#[test]
fn a_read_only_export_permits_no_change() {
    let session = with(|session| session.geometry.read_only = true);
    for command in [cmd::TRIM, cmd::WRITE_ZEROES] {
        assert_eq!(one(session, command, 0, 0, 512), refused(Errno::Perm));
    }
    assert_eq!(one(session, cmd::FLUSH, 0, 0, 0), Seen::Request(disk(Command::Flush, 0, 0)));
}

#[test]
fn a_range_beyond_the_end_is_invalid_to_read_and_out_of_space_to_write() {
    for (offset, len) in [(LEN, 1), (LEN - 1, 2), (u64::MAX, 2), (u64::MAX, u32::MAX)] {
        for command in [cmd::READ, cmd::TRIM, cmd::CACHE, cmd::BLOCK_STATUS] {
            assert_eq!(one(session(), command, 0, offset, len), refused(Errno::Inval));
        }
        assert_eq!(one(session(), cmd::WRITE_ZEROES, 0, offset, len), refused(Errno::NoSpc));
    }
    assert_eq!(one(session(), cmd::READ, 0, LEN - 1, 1), Seen::Request(disk(Command::Read, LEN - 1, 1)));
}

#[test]
fn a_strict_export_refuses_unaligned_requests() {
    let strict = with(|session| session.strict_alignment = true);
    for (offset, len) in [(1, 4096), (0, 4095), (512, 512)] {
        assert_eq!(one(strict, cmd::READ, 0, offset, len), refused(Errno::Inval));
        assert_eq!(one(session(), cmd::READ, 0, offset, len), Seen::Request(disk(Command::Read, offset, len)));
    }
}

#[test]
fn a_read_above_the_maximum_payload_overflows_and_effects_of_any_length_do_not() {
    let huge = with(|session| session.geometry.len = ByteLen(HUGE));
    let simple = Session { structured: false, ..huge };
    assert_eq!(one(huge, cmd::READ, 0, 0, MAX_PAYLOAD), Seen::Request(disk(Command::Read, 0, MAX_PAYLOAD)));
    assert_eq!(one(huge, cmd::READ, 0, 0, MAX_PAYLOAD + 1), refused(Errno::Overflow));
    assert_eq!(one(simple, cmd::READ, 0, 0, MAX_PAYLOAD + 1), refused(Errno::Inval));
    let zeroes = Command::WriteZeroes { fua: false };
    assert_eq!(one(huge, cmd::WRITE_ZEROES, 0, 0, u32::MAX), Seen::Request(disk(zeroes, 0, u32::MAX)));
}

#[test]
fn a_fast_zero_is_never_fast_and_fails_before_anything_is_written() {
    assert_eq!(one(session(), cmd::WRITE_ZEROES, flag::FAST_ZERO, 0, 512), refused(Errno::NotSup));
    let both = flag::FAST_ZERO | flag::NO_HOLE;
    assert_eq!(one(session(), cmd::WRITE_ZEROES, both, 0, 512), refused(Errno::NotSup));
}

#[test]
fn a_flush_with_a_range_is_invalid() {
    assert_eq!(one(session(), cmd::FLUSH, 0, 0, 1), refused(Errno::Inval));
    assert_eq!(one(session(), cmd::FLUSH, 0, 1, 0), refused(Errno::Inval));
}

#[test]
fn a_request_of_no_bytes_succeeds_and_its_status_is_invalid() {
    for command in [cmd::READ, cmd::WRITE, cmd::TRIM, cmd::CACHE, cmd::WRITE_ZEROES] {
        assert_eq!(one(session(), command, 0, 0, 0), Seen::Answer(COOKIE, Ok(())));
    }
    assert_eq!(one(session(), cmd::BLOCK_STATUS, 0, 0, 0), refused(Errno::Inval));
}

#[test]
fn bad_magic_and_disconnect_end_the_phase() {
    let next = header(cmd::FLUSH, 0, 0, 0);
    assert_eq!(receive(session(), &[&[7; 28][..], &next].concat(), usize::MAX), [Seen::BadMagic(0x0707_0707)]);
    let disconnect = header(cmd::DISC, 0, 0, 0);
    assert_eq!(receive(session(), &[disconnect, next].concat(), usize::MAX), [Seen::Disconnect]);
}

#[test]
fn simple_replies_are_laid_out_as_the_protocol_says() {
    let replies = Replies { structured: false };
    let simple = |errno: u8| [&[0x67, 0x44, 0x66, 0x98, 0, 0, 0, errno][..], &COOKIE.to_be_bytes()].concat();
    assert_eq!(replies.done(COOKIE).to_vec(), simple(0));
    assert_eq!(replies.read(COOKIE, 512, 9).to_vec(), simple(0));
    assert_eq!(replies.refused(COOKIE, &Refusal::new(Errno::NoSpc, "full")), simple(28));
}

#[test]
fn structured_replies_are_laid_out_as_the_protocol_says() {
    let replies = Replies { structured: true };
    let chunk = |kind: [u8; 2], payload: &[u8], more: u8| {
        let len = u8::try_from(payload.len()).unwrap() + more;
        let head = [&[0x66, 0x8e, 0x33, 0xef, 0, 1][..], &kind, &COOKIE.to_be_bytes(), &[0, 0, 0, len]];
        [&head.concat()[..], payload].concat()
    };
    assert_eq!(replies.done(COOKIE).to_vec(), chunk([0, 0], &[], 0));
    assert_eq!(replies.read(COOKIE, 512, 9).to_vec(), chunk([0, 1], &[0, 0, 0, 0, 0, 0, 2, 0], 9));
    assert_eq!(
        replies.refused(COOKIE, &Refusal::new(Errno::NoSpc, "full")),
        chunk([0x80, 1], b"\0\0\0\x1c\0\x04full", 0)
    );
    let payload = [0, 0, 0, 1, 0, 0, 16, 0, 0, 0, 0, 0];
    assert_eq!(replies.block_status(COOKIE, 4096).to_vec(), chunk([0, 5], &payload, 0));
}

#[test]
fn an_error_message_is_cut_at_the_longest_string_between_two_characters() {
    let refusal = Refusal { errno: Errno::Io, message: "ä".repeat(4000).into() };
    let odd = Refusal { errno: Errno::Io, message: format!("a{}", refusal.message).into() };
    assert_eq!(Replies { structured: true }.refused(COOKIE, &refusal).len(), 20 + 6 + 4096);
    assert_eq!(Replies { structured: true }.refused(COOKIE, &odd).len(), 20 + 6 + 4095);
}

fn any_request() -> impl Strategy<Value = Vec<u8>> {
    (0_u16..10, 0_u16..64, 0_u64..LEN + 9000, 0_u32..9000).prop_map(|(command, flags, offset, len)| {
        let command = if command == cmd::DISC { cmd::WRITE } else { command };
        let payload = if command == cmd::WRITE { len as usize } else { 0 };
        [header(command, flags & 0x1f, offset, len), vec![0xa5; payload]].concat()
    })
}

proptest! {
    #[test]
    fn requests_are_understood_the_same_however_they_are_split(
        requests in proptest::collection::vec(any_request(), 0..8), piece in 1_usize..5000,
        structured: bool, strict_alignment: bool, read_only: bool, discards: bool,
    ) {
        let mut session = Session { structured, strict_alignment, ..session() };
        session.geometry = Geometry { read_only, discards, ..session.geometry };
        let input = requests.concat();
        let whole = receive(session, &input, usize::MAX);
        prop_assert_eq!(whole.len(), requests.len());
        prop_assert_eq!(receive(session, &input, piece), whole);
    }

    #[test]
    fn noise_never_panics(noise in proptest::collection::vec(any::<u8>(), 0..300), framed: bool) {
        let magic = wire::REQUEST_MAGIC.to_be_bytes();
        let input = if framed { [&magic[..], &noise].concat() } else { noise };
        receive(session(), &input, usize::MAX);
    }
}
