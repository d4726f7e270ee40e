//! Everything a client can say on one connection, from its handshake flags to the last request.
//!
//! ```text
//! 0      switches: bits 0-1 TLS (none, optional, required); bit 2 strict alignment; bit 3 read-only; bit 4 discards
//! 1      bytes that arrive at a time, less one
//! 2..    the client's bytes
//! ```
#![no_main]

use std::sync::{Arc, LazyLock};

use datapath::backend::mem::MemBackend;
use datapath::disk::Command;
use datapath::export::nbd::handshake::{Handshake, Next, TlsMode};
use datapath::export::nbd::transmission::{Action, Event, Request, Session, Transmission};
use datapath::export::nbd::{Export, Exports};
use datapath::volume::{DiskOptions, Volume};
use keywrap::geometry::SectorSize;
use libfuzzer_sys::fuzz_target;

const DISK_LEN: u64 = 256 << 10;

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
    let mut write = None;
    while !rest.is_empty() {
        let (mut now, later) = rest.split_at(rest.len().min(step));
        *rest = later;
        while !now.is_empty() {
            let before = now.len();
            if let Some((request, payload)) = &mut write {
                // Room for an odd number of bytes at a time, as memory comes in pieces.
                Vec::extend_from_slice(payload, transmission.payload(&mut now, 1021));
                if transmission.payload_left() == 0 {
                    let described = describe(&session, *request);
                    assert_eq!(payload.len() as u64, u64::from(request.len), "{request:?}");
                    transcript.events.push(format!("{described} {payload:?}"));
                    write = None;
                }
                assert!(now.len() < before, "no payload was taken");
                continue;
            }
            let event = match transmission.advance(&mut now) {
                Ok(Event::Continue) => {
                    assert!(now.is_empty() || now.len() < before, "nothing was taken, and nothing came of it");
                    continue;
                }
                Ok(Event::Request(request)) if transmission.payload_left() > 0 => {
                    assert_eq!(transmission.payload_left(), request.payload_len());
                    write = Some((request, Vec::new()));
                    continue;
                }
                Ok(Event::Request(request)) => describe(&session, request),
                Ok(Event::Answer { cookie, result }) => format!("{cookie} {result:?}"),
                Ok(Event::Disconnect) => return transcript.events.push("goodbye".into()),
                Err(bad) => return transcript.events.push(bad.to_string()),
            };
            transcript.events.push(event);
        }
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
    static DISKS: LazyLock<[Arc<Volume>; 8]> = LazyLock::new(|| std::array::from_fn(disk));
    let volume = &DISKS[usize::from(switches >> 2 & 7)];
    let export =
        |name: &str| Export { name: name.into(), description: "for fuzzing".into(), volume: Arc::clone(volume) };
    match Exports::new(vec![export("disk"), export("other")]) {
        Ok(exports) => exports,
        Err(error) => panic!("{error}"),
    }
}

/// A disk that is only talked about: the machines under test do no I/O.
fn disk(switches: usize) -> Arc<Volume> {
    let bit = |bit: usize| switches & (1 << bit) != 0;
    let options =
        DiskOptions { strict_alignment: bit(0), read_only: bit(1), discards: bit(2), ..DiskOptions::default() };
    match Volume::plain(Box::new(MemBackend::new(DISK_LEN)), SectorSize::B4096, options) {
        Ok(volume) => Arc::new(volume),
        Err(error) => panic!("{error}"),
    }
}
