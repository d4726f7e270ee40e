//! One suite for both kinds of ring.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::{Completion, Held, Kind, Message, Ring};

const KINDS: [Kind; 2] = [Kind::Uring, Kind::Poll];

fn next(ring: &mut Ring) -> Completion {
    loop {
        if let Some(completion) = ring.pop() {
            return completion;
        }
        ring.wait(true).unwrap();
    }
}

#[test]
fn this_machine_has_io_uring() {
    assert_eq!(Kind::choose().0, Kind::Uring, "{:?}", Kind::choose().1);
}

#[test]
fn a_file_is_written_synced_and_read_from_the_middle_of_a_chunk() {
    for kind in KINDS {
        let mut ring = Ring::new(kind).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        let target = ring.file(OwnedFd::from(file.try_clone().unwrap()));
        let mut chunk = ring.arena().take(8192).unwrap();
        chunk.fill(7);
        ring.write(&target, chunk, 4096, 512, true, 1);
        let written = next(&mut ring);
        assert_eq!((written.tag, written.result.unwrap()), (1, 4096));
        ring.sync(&target, 2);
        assert_eq!(next(&mut ring).result.unwrap(), 0);
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, [vec![0; 512], vec![7; 4096]].concat());
        let mut chunk = written.held.chunk().unwrap();
        chunk.fill(0);
        ring.read(&target, chunk, 100, 500, 3);
        let read = next(&mut ring);
        assert_eq!(read.result.unwrap(), 4096 + 12);
        let chunk = read.held.chunk().unwrap();
        assert_eq!((chunk[111], chunk[112], chunk[100 + 4107], chunk[100 + 4108]), (0, 7, 7, 0));
        drop(chunk);
        assert!(ring.arena().is_whole());
    }
}

#[test]
fn an_error_comes_back_with_the_chunk() {
    for kind in KINDS {
        let mut ring = Ring::new(kind).unwrap();
        let read_only = ring.file(OwnedFd::from(std::fs::File::open("/proc/self/exe").unwrap()));
        let chunk = ring.arena().take(512).unwrap();
        ring.write(&read_only, chunk, 0, 0, false, 9);
        let refused = next(&mut ring);
        assert_eq!(refused.result.unwrap_err().raw_os_error(), Some(libc::EBADF));
        assert!(matches!(refused.held, Held::Chunk(_)));
    }
}

#[test]
fn a_socket_sends_long_messages_in_order_and_receives_into_buffers() {
    for kind in KINDS {
        let mut ring = Ring::new(kind).unwrap();
        let (mut peer, socket) = UnixStream::pair().unwrap();
        let socket = ring.file(OwnedFd::from(socket));
        let mut message = Box::<Message>::default();
        let mut expected = Vec::new();
        for n in 0..40_u8 {
            let mut chunk = ring.arena().take(50_000).unwrap();
            chunk.fill(n);
            message.text(b"he");
            message.text(&[n]);
            message.chunk(chunk, 1..40_000);
            expected.extend_from_slice(b"he");
            expected.push(n);
            expected.extend(std::iter::repeat_n(n, 39_999));
        }
        let reader = std::thread::spawn(move || {
            let mut bytes = vec![0; 40 * 40_002];
            peer.read_exact(&mut bytes).unwrap();
            peer.write_all(b"thanks").unwrap();
            bytes
        });
        loop {
            ring.send(&socket, message, 5);
            let sent = next(&mut ring);
            let Held::Message(back) = sent.held else { panic!("not a message") };
            message = back;
            message.advance(sent.result.unwrap() as usize);
            if message.is_sent() {
                break;
            }
        }
        assert!(reader.join().unwrap() == expected);
        message.clear();
        assert!(ring.arena().is_whole());
        ring.receive(&socket, 6);
        let received = next(&mut ring);
        let Held::Received(bytes) = received.held else { panic!("nothing was received") };
        assert_eq!((received.tag, &bytes[..]), (6, &b"thanks"[..]));
        drop(bytes);
        ring.receive(&socket, 7);
        let end = next(&mut ring);
        assert_eq!(end.result.unwrap(), 0);
        assert!(matches!(end.held, Held::Nothing));
    }
}

#[test]
fn buffers_for_receiving_run_out_and_come_back() {
    for kind in KINDS {
        let mut ring = Ring::new(kind).unwrap();
        let (mut peer, socket) = UnixStream::pair().unwrap();
        let socket = ring.file(OwnedFd::from(socket));
        let mut held = Vec::new();
        for _ in 0..super::received::BUFFERS {
            peer.write_all(b"x").unwrap();
            ring.receive(&socket, 0);
            held.push(next(&mut ring));
        }
        peer.write_all(b"y").unwrap();
        ring.receive(&socket, 1);
        assert_eq!(next(&mut ring).result.unwrap_err().raw_os_error(), Some(libc::ENOBUFS));
        drop(held);
        for round in 0..1000_u32 {
            ring.receive(&socket, 2);
            let Held::Received(bytes) = next(&mut ring).held else { panic!("nothing was received") };
            assert_eq!(&bytes[..], b"y", "{round}");
            peer.write_all(b"y").unwrap();
        }
    }
}

#[test]
fn timers_and_readiness_complete_and_a_ring_ends_with_both_in_flight() {
    for kind in KINDS {
        let mut ring = Ring::new(kind).unwrap();
        let (mut peer, socket) = UnixStream::pair().unwrap();
        let socket = ring.file(OwnedFd::from(socket));
        ring.timer(Duration::from_millis(5), 1);
        assert_eq!(next(&mut ring).tag, 1);
        ring.readable(&socket, 2);
        ring.timer(Duration::from_secs(3600), 3);
        peer.write_all(b"x").unwrap();
        assert_eq!(next(&mut ring).tag, 2);
        ring.readable(&socket, 4);
        ring.receive(&socket, 5);
        ring.receive(&socket, 6);
        assert_eq!(ring.in_flight(), 4);
    }
}

#[test]
fn what_is_cancelled_by_its_tag_ends_and_the_rest_stays() {
    for kind in KINDS {
        let mut ring = Ring::new(kind).unwrap();
        let (mut peer, socket) = UnixStream::pair().unwrap();
        let socket = ring.file(OwnedFd::from(socket));
        ring.readable(&socket, 1);
        ring.readable(&socket, 2);
        ring.timer(Duration::from_secs(3600), 3);
        ring.wait(false).unwrap();
        for tag in [1, 3] {
            ring.cancel(tag);
            let cancelled = next(&mut ring);
            assert_eq!(cancelled.tag, tag);
            assert_eq!(cancelled.result.unwrap_err().raw_os_error(), Some(libc::ECANCELED));
        }
        ring.cancel(4);
        assert_eq!(ring.in_flight(), 1);
        peer.write_all(b"x").unwrap();
        assert_eq!(next(&mut ring).tag, 2);
    }
}

#[test]
fn files_come_and_go_beyond_the_slots_there_are() {
    for kind in KINDS {
        let mut ring = Ring::new(kind).unwrap();
        for round in 0..3 {
            let pairs: Vec<_> = (0..600).map(|_| UnixStream::pair().unwrap()).collect();
            let (peers, sockets): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            let files: Vec<_> = sockets.into_iter().map(|socket| ring.file(OwnedFd::from(socket))).collect();
            let more: Vec<_> = peers.iter().map(|peer| ring.file(OwnedFd::from(peer.try_clone().unwrap()))).collect();
            for (n, (peer, file)) in peers.iter().zip(&files).enumerate() {
                let mut peer = peer;
                peer.write_all(&[u8::try_from((n + round) % 256).unwrap()]).unwrap();
                ring.receive(file, n as u64);
                let received = next(&mut ring);
                let Held::Received(bytes) = received.held else { panic!("nothing was received") };
                assert_eq!((received.tag, usize::from(bytes[0])), (n as u64, (n + round) % 256));
            }
            drop((more, files));
            // A socket that the ring still held would keep its peer waiting.
            ring.wait(false).unwrap();
            for mut peer in peers {
                peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                assert_eq!(peer.read(&mut [0]).unwrap(), 0);
            }
        }
    }
}

#[test]
fn an_unlisted_file_is_closed_at_once_while_older_operations_go_on() {
    for kind in KINDS {
        let mut ring = Ring::new(kind).unwrap();
        let (_quiet, waiting) = UnixStream::pair().unwrap();
        let waiting = ring.file(OwnedFd::from(waiting));
        ring.receive(&waiting, 1);
        let (mut peer, socket) = UnixStream::pair().unwrap();
        let socket = ring.unlisted_file(OwnedFd::from(socket));
        peer.write_all(b"x").unwrap();
        ring.receive(&socket, 2);
        assert_eq!(next(&mut ring).tag, 2);
        drop(socket);
        peer.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        assert_eq!(peer.read(&mut [0]).unwrap(), 0);
        assert_eq!(ring.in_flight(), 1);
    }
}

#[test]
fn a_command_brings_its_chunk_back() {
    let mut ring = Ring::new(Kind::Uring).unwrap();
    let null = ring.file(OwnedFd::from(std::fs::File::open("/dev/null").unwrap()));
    let mut chunk = ring.arena().take(100).unwrap();
    chunk.fill(5);
    ring.command(&null, 0, [0; 8], Some(chunk), 1);
    let done = next(&mut ring);
    assert_eq!((done.tag, done.result.unwrap()), (1, 0));
    assert_eq!(done.held.chunk().unwrap()[..], [5; 100]);
    ring.command(&null, 0, [0; 8], None, 2);
    assert!(matches!(next(&mut ring).held, Held::Nothing));
    let mut twin = Ring::new(Kind::Poll).unwrap();
    let null = twin.file(OwnedFd::from(std::fs::File::open("/dev/null").unwrap()));
    twin.command(&null, 0, [0; 8], None, 3);
    assert_eq!(next(&mut twin).result.unwrap_err().raw_os_error(), Some(libc::EOPNOTSUPP));
}
