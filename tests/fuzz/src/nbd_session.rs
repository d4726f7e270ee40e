//! Everything a client can say on one connection, from its handshake flags to the last request.
//!
//! ```text
//! 0      switches: bits 0-1 TLS (none, optional, required); bit 2 strict alignment; bit 3 read-only; bit 4 discards
//! 1      bytes that arrive at a time, less one
//! 2..    the client's bytes
//! ```
#![no_main]

use std::sync::Arc;

use datapath::buf::Buf;
use datapath::disk::{Command, Disk, Done, Geometry, Io};
use datapath::export::nbd::handshake::{Handshake, Next, TlsMode};
use datapath::export::nbd::transmission::{Action, Event, Request, Session, Transmission};
use datapath::export::nbd::{Export, Exports};
use keywrap::geometry::{ByteLen, SectorSize};
use libfuzzer_sys::fuzz_target;

const DISK_LEN: u64 = 256 << 10;

/// A disk that is only talked about: the machines under test do no I/O.
struct Silent(Geometry);

impl Disk for Silent {
    fn geometry(&self) -> Geometry {
        self.0
    }

    fn submit(&self, _: Io, _: Done) {
        panic!("a protocol machine must not do I/O");
    }
}

/// What a connection led to, in comparable form.
#[derive(Debug, Default, PartialEq)]
struct Transcript {
    sent: Vec<u8>,
    events: Vec<String>,
}

fuzz_target!(|input: &[u8]| {
    let [switches, step, bytes @ ..] = input else { return };
    let whole = converse(*switches, bytes, usize::MAX);
    let pieces = converse(*switches, bytes, usize::from(*step) + 1);
    assert_eq!(whole, pieces, "the answer depends on how the bytes were cut");
});

/// The server's side of a connection on which `bytes` arrive `step` at a time.
fn converse(switches: u8, bytes: &[u8], step: usize) -> Transcript {
    let mut transcript = Transcript::default();
    let mut rest = bytes;
    if let Some(session) = negotiate(switches, &mut rest, step, &mut transcript) {
        transmit(session, &mut rest, step, &mut transcript);
    }
    transcript
}

fn negotiate(switches: u8, rest: &mut &[u8], step: usize, transcript: &mut Transcript) -> Option<Session> {
    let tls = [TlsMode::None, TlsMode::Optional, TlsMode::Required, TlsMode::None][usize::from(switches & 3)];
    let mut handshake = Handshake::new(exports(switches), tls);
    loop {
        let count = feed(handshake.space(), rest, step)?;
        match handshake.advance(count, &mut transcript.sent) {
            Ok(Next::Continue) => {}
            Ok(Next::StartTls) => handshake.secured(),
            Ok(Next::Transmit(_, session)) => return Some(session),
            Ok(Next::Close) => return None,
            Err(violation) => {
                transcript.events.push(violation.to_string());
                return None;
            }
        }
    }
}

fn transmit(session: Session, rest: &mut &[u8], step: usize, transcript: &mut Transcript) {
    let mut transmission = Transmission::new(session);
    while let Some(count) = feed(transmission.space(), rest, step) {
        let event = match transmission.advance(count) {
            Ok(Event::Continue) => continue,
            Ok(Event::Request(request)) => describe(&session, request),
            Ok(Event::WantsBuffer(request)) => {
                let refused = transmission.supply(Buf::zeroed(request.payload_len() as usize));
                assert!(refused.is_none(), "a buffer of the right length was refused");
                continue;
            }
            Ok(Event::Write(request, buf)) => {
                assert_eq!(buf.len() as u64, u64::from(request.len));
                format!("{} {:?}", describe(&session, request), buf.as_slice())
            }
            Ok(Event::Answer { cookie, result }) => format!("{cookie} {result:?}"),
            Ok(Event::Disconnect) => return transcript.events.push("goodbye".into()),
            Err(bad) => return transcript.events.push(bad.to_string()),
        };
        transcript.events.push(event);
    }
}

/// Checks what every request that reaches the disk promises.
fn describe(session: &Session, request: Request) -> String {
    let end = request.offset.checked_add(u64::from(request.len));
    let flush = request.action == Action::Disk(Command::Flush);
    assert!(end.is_some_and(|end| end <= DISK_LEN) || flush, "{request:?} is not inside the disk");
    assert_eq!(request.len == 0, flush, "{request:?}");
    let changes = matches!(
        request.action,
        Action::Disk(Command::Write { .. } | Command::WriteZeroes { .. } | Command::Trim { .. })
    );
    assert!(!(changes && session.geometry.read_only), "{request:?} on a read-only disk");
    format!("{request:?}")
}

/// Puts the next bytes into `space`; `None` when the client or the machine is at its end.
fn feed(space: &mut [u8], rest: &mut &[u8], step: usize) -> Option<usize> {
    let count = space.len().min(rest.len()).min(step);
    let (now, later) = rest.split_at(count);
    space[..count].copy_from_slice(now);
    *rest = later;
    (count > 0).then_some(count)
}

fn exports(switches: u8) -> Exports {
    let bit = |bit: u8| switches & (1 << bit) != 0;
    let geometry =
        Geometry { len: ByteLen(DISK_LEN), sector_size: SectorSize::B4096, read_only: bit(3), discards: bit(4) };
    let export = |name: &str| Export {
        name: name.into(),
        description: "for fuzzing".into(),
        strict_alignment: bit(2),
        disk: Arc::new(Silent(geometry)),
    };
    match Exports::new(vec![export("disk"), export("other")]) {
        Ok(exports) => exports,
        Err(error) => panic!("{error}"),
    }
}
