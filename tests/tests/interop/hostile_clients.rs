//! Clients that talk nonsense, or nothing. The server turns each away and keeps serving everybody else.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use sear_tests::rig::{Need, Run, Sear, Served, pattern, require};

/// The greeting of the server: NBDMAGIC, IHAVEOPT, flags (NBD protocol, "Newstyle negotiation").
const GREETING: usize = 18;
const FIXED_NEWSTYLE: [u8; 4] = [0, 0, 0, 1];
const OPTION_MAGIC: &[u8; 8] = b"IHAVEOPT";
const OPT_EXPORT_NAME: u32 = 1;
const OPT_LIST: u32 = 3;
const OPT_GO: u32 = 7;

#[test]
fn random_bytes_instead_of_a_handshake_end_only_their_connection() {
    with_server(|served| {
        for seed in 0..32 {
            send(served, &pattern(seed, 4096));
        }
    });
}

#[test]
fn an_option_that_claims_four_gigabytes_is_refused() {
    with_server(|served| {
        let mut bytes = FIXED_NEWSTYLE.to_vec();
        bytes.extend(option(OPT_GO, u32::MAX, &[]));
        send(served, &bytes);
    });
}

#[test]
fn lengths_inside_an_option_that_do_not_add_up_are_refused() {
    with_server(|served| {
        for name_len in [0_u32, 1, 5, u32::MAX] {
            let mut data = name_len.to_be_bytes().to_vec();
            data.extend([0, 7]);
            let mut bytes = FIXED_NEWSTYLE.to_vec();
            bytes.extend(option(OPT_GO, 6, &data));
            send(served, &bytes);
        }
    });
}

#[test]
fn a_flood_of_options_without_an_end_does_not_stop_the_others() {
    with_server(|served| {
        let mut bytes = FIXED_NEWSTYLE.to_vec();
        for _ in 0..10_000 {
            bytes.extend(option(OPT_LIST, 0, &[]));
        }
        send(served, &bytes);
    });
}

#[test]
fn requests_with_a_wrong_magic_end_only_their_connection() {
    with_server(|served| {
        let mut bytes = FIXED_NEWSTYLE.to_vec();
        bytes.extend(option(OPT_EXPORT_NAME, 3, b"vol"));
        bytes.extend(pattern(99, 28 * 16));
        send(served, &bytes);
    });
}

#[test]
fn a_client_that_leaves_in_the_middle_of_a_write_changes_nothing() {
    with_server(|served| {
        let mut bytes = FIXED_NEWSTYLE.to_vec();
        bytes.extend(option(OPT_EXPORT_NAME, 3, b"vol"));
        // A write of 64 KiB at offset 0 (magic, flags, type 1, cookie, offset, length) of which only 10 bytes follow.
        bytes.extend([0x25, 0x60, 0x95, 0x13, 0, 0, 0, 1]);
        bytes.extend([0; 16]);
        bytes.extend(65_536_u32.to_be_bytes());
        bytes.extend([0xee; 10]);
        send(served, &bytes);
        let read = Run::new("qemu-io").words("-r -f raw").args(["-c", "read -P 0 0 64k"]).arg(served.uri()).ok();
        assert!(!read.contains("failed"), "half a write has reached the volume: {read}");
    });
}

#[test]
fn clients_that_never_finish_their_handshake_do_not_keep_others_out() {
    with_server(|served| {
        let mut idle = Vec::new();
        for number in 0..32_usize {
            let mut stream = connect(served);
            stream.write_all(&FIXED_NEWSTYLE[..number % 5]).expect("the server listens");
            idle.push(stream);
        }
        let size = Run::new("nbdinfo").arg("--size").arg(served.uri()).limit(20).ok();
        assert_eq!(size.trim(), (4 << 20).to_string());
    });
}

/// Runs `attack` against a fresh volume; afterwards the server lives, serves, and stops cleanly.
fn with_server(attack: impl FnOnce(&Served)) {
    if !require(&[Need::Tool("nbdinfo"), Need::Tool("qemu-io")]) {
        return;
    }
    let sear = Sear::new();
    let mut served = sear.up(&sear.path("disk"), ["--size", "4M"]);
    let zeroes = Run::new("qemu-io").words("-f raw").args(["-c", "write -z 0 4M", "-c", "flush"]);
    zeroes.arg(served.uri()).ok();
    attack(&served);
    served.assert_alive();
    let size = Run::new("nbdinfo").arg("--size").arg(served.uri()).limit(20).ok();
    assert_eq!(size.trim(), (4 << 20).to_string());
    served.stop();
}

/// Sends bytes after the greeting and reads until the server closes, which it must do once we stop writing.
fn send(served: &Served, bytes: &[u8]) {
    let mut stream = connect(served);
    let mut greeting = [0; GREETING];
    stream.read_exact(&mut greeting).expect("the server greets first");
    // The server may hang up before it has read everything.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
}

fn connect(served: &Served) -> UnixStream {
    let stream = UnixStream::connect(served.socket()).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout can be set");
    stream.set_write_timeout(Some(Duration::from_secs(5))).expect("a timeout can be set");
    stream
}

fn option(number: u32, length: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = OPTION_MAGIC.to_vec();
    bytes.extend(number.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(data);
    bytes
}
