//! What well-behaved clients get.

use std::net::TcpStream;

use proptest::prelude::*;

use super::client::*;
use super::*;
use crate::export::nbd::test_disk::Call;
use crate::volume::Counter;

const EIO: u32 = 5;

#[test]
fn replies_come_in_the_order_in_which_the_disk_completes() {
    let disk = Arc::new(MemDisk::new(1 << 20));
    let server = Running::start(&disk, Limits::default());
    let mut client = server.client();
    for cookie in 1..=3 {
        disk.volume.hold(cookie * 4096, 4096);
        client.send(READ, 0, cookie, cookie * 4096, 4096);
    }
    disk.wait_for(3);
    for cookie in [3, 1, 2] {
        disk.volume.release(cookie * 4096, 4096);
        assert_eq!(client.reply(), Reply::ok(cookie, &[0; 4096]));
    }
}

#[test]
fn a_long_read_comes_in_pieces_or_in_one_as_the_client_wishes() {
    const LEN: usize = 5 << 20;
    const DF: u16 = 4;
    let disk = Arc::new(MemDisk::new(8 << 20));
    let content: Vec<u8> = (0..8 << 20).map(|at: usize| u8::try_from(at / 512 % 251).unwrap()).collect();
    disk.fill(&content);
    let server = Running::start(&disk, Limits::default());
    let mut client = server.client();
    for (flags, offset) in [(0, 0), (0, 1000), (DF, 0), (DF, 77)] {
        client.send(READ, flags, 3, offset as u64, u32::try_from(LEN).unwrap());
        let (reply, chunks) = client.reply_in_chunks();
        assert!(reply == Reply::ok(3, &content[offset..offset + LEN]), "{flags} {offset}");
        assert_eq!(chunks == 1, flags == DF, "{chunks}");
    }
    let mut old = Client::greet(server.stream());
    old.send_option(OPT_EXPORT_NAME, b"disk");
    std::io::Read::read_exact(&mut old.stream, &mut [0; 10]).unwrap();
    old.send(READ, 0, 9, 4096, u32::try_from(LEN).unwrap());
    let mut reply = vec![0xff; 16 + LEN];
    std::io::Read::read_exact(&mut old.stream, &mut reply).unwrap();
    assert!(reply[16..] == content[4096..4096 + LEN]);
}

#[test]
fn a_client_that_reads_nothing_gets_no_more_than_its_window_started() {
    let disk = Arc::new(MemDisk::new(1 << 20));
    let server = Running::start(&disk, Limits::default());
    let mut client = server.client();
    client.stream.set_nonblocking(true).unwrap();
    for cookie in 0..64 {
        std::io::Write::write_all(&mut client.stream, &request(READ, 0, cookie, 0, 1 << 20)).unwrap();
    }
    let mut before = 0;
    loop {
        thread::sleep(SHORT * 4);
        let now = disk.count(Counter::Started);
        if now > 0 && now == before {
            break;
        }
        before = now;
    }
    assert!(before <= 24, "{before} pieces of 256 KiB have started for a window of 4 MiB and a socket's buffer");
    client.stream.set_nonblocking(false).unwrap();
    let mut cookies: Vec<u64> = (0..64).map(|_| client.reply().cookie).collect();
    cookies.sort_unstable();
    assert_eq!(cookies, (0..64).collect::<Vec<_>>());
}

#[test]
fn a_failure_of_the_disk_is_told_and_the_connection_lives_on() {
    let disk = Arc::new(MemDisk::new(1 << 20));
    let server = Running::start(&disk, Limits::default());
    let mut client = server.client();
    disk.break_down();
    for cookie in [1, 2] {
        client.send(READ, 0, cookie, 0, 512);
        assert_eq!(client.reply().error, EIO);
    }
    drop(client);
    assert!(matches!(server.stop(), Err(RunError::Flush { .. })), "the last flush fails too, and is not swallowed");
}

#[test]
fn what_one_connection_wrote_every_connection_reads() {
    let disk = Arc::new(MemDisk::new(1 << 20));
    let server = Running::start(&disk, Limits::default());
    let mut clients: Vec<_> = (0..4).map(|_| server.client()).collect();
    for (index, client) in clients.iter_mut().enumerate() {
        client.send_write(1, index as u64 * 512, &[u8::try_from(index).unwrap() + 1; 512]);
        assert_eq!(client.reply(), Reply::ok(1, &[]));
    }
    let expected = [[1; 512], [2; 512], [3; 512], [4; 512]].concat();
    for client in &mut clients {
        client.send(READ, 0, 2, 0, 2048);
        assert_eq!(client.reply(), Reply::ok(2, &expected));
    }
}

#[test]
fn many_clients_at_once_each_get_their_own_answers() {
    let disk = Arc::new(MemDisk::new(8 << 20));
    let server = Running::start(&disk, Limits::default());
    thread::scope(|scope| {
        for lane in 0..8_u8 {
            let mut client = server.client();
            scope.spawn(move || {
                for round in 0..50_u8 {
                    let payload = [lane ^ round; 3000];
                    let at = u64::from(lane) << 20 | u64::from(round) << 12;
                    client.send_write(u64::from(round), at, &payload);
                    assert_eq!(client.reply(), Reply::ok(u64::from(round), &[]));
                    client.send(READ, 0, 1000, at, 3000);
                    assert_eq!(client.reply(), Reply::ok(1000, &payload));
                }
            });
        }
    });
}

#[test]
fn block_status_calls_everything_data_even_where_the_backing_has_holes() {
    let disk = Arc::new(MemDisk::new(8192));
    let server = Running::start(&disk, Limits::default());
    let mut client = server.client();
    client.send(BLOCK_STATUS, 0, 1, 0, 8192);
    assert_eq!(client.reply(), Reply::ok(1, &[0, 0, 32, 0, 0, 0, 0, 0]));
    client.send(BLOCK_STATUS, 8, 2, 1024, 8192 - 1024);
    assert_eq!(client.reply(), Reply::ok(2, &[0, 0, 28, 0, 0, 0, 0, 0]));
}

#[test]
fn an_old_client_without_structured_replies_is_served() {
    let disk = Arc::new(MemDisk::new(1 << 20));
    let server = Running::start(&disk, Limits::default());
    let mut client = Client::greet(server.stream());
    client.send_option(OPT_EXPORT_NAME, b"disk");
    let mut answer = [0; 10];
    std::io::Read::read_exact(&mut client.stream, &mut answer).unwrap();
    client.send(READ, 0, 9, 0, 3);
    let mut reply = [0xff; 19];
    std::io::Read::read_exact(&mut client.stream, &mut reply).unwrap();
    assert_eq!(reply, [0x67, 0x44, 0x66, 0x98, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0]);
}

#[test]
fn a_request_of_no_bytes_is_answered_without_the_disk() {
    let disk = Arc::new(MemDisk::new(1 << 20));
    let server = Running::start(&disk, Limits::default());
    let mut client = server.client();
    for command in [READ, WRITE, TRIM, WRITE_ZEROES] {
        client.send(command, 0, 1, 0, 0);
        assert_eq!(client.reply(), Reply::ok(1, &[]));
    }
    assert_eq!(disk.log(), []);
    client.send(FLUSH, 0, 2, 0, 0);
    assert_eq!((client.reply(), disk.log()), (Reply::ok(2, &[]), vec![Call::Flush]));
}

#[test]
fn a_goodbye_is_answered_by_the_end_after_every_reply() {
    let disk = Arc::new(MemDisk::gated(1 << 20));
    let server = Running::start(&disk, Limits::default());
    let mut client = server.client();
    client.send(READ, 0, 1, 0, 512);
    client.send(DISC, 0, 2, 0, 0);
    disk.wait_for(1);
    disk.open_gate();
    assert_eq!(client.reply(), Reply::ok(1, &[0; 512]));
    assert!(client.sees_the_end());
}

#[test]
fn tcp_serves_what_the_unix_socket_serves_and_names_its_port() {
    let disk = MemDisk::new(1 << 20);
    let listen = vec![Listen::Tcp("127.0.0.1:0".parse().unwrap()), Listen::Tcp("127.0.0.1:0".parse().unwrap())];
    let exports = vec![export("disk", disk.volume)];
    let server = Server::bind(Config { listen, ..config(exports) }).unwrap();
    let uris = server.uris();
    let handle = server.handle();
    let running = thread::spawn(move || server.run());
    for uri in uris {
        let Listen::Tcp(address) = uri.at else { panic!("{uri}") };
        assert_ne!(address.port(), 0);
        let mut client = Client::greet(TcpStream::connect(address).unwrap());
        client.go("disk");
        client.send(READ, 0, 1, 0, 8);
        assert_eq!(client.reply(), Reply::ok(1, &[0; 8]));
    }
    handle.shutdown();
    running.join().unwrap().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_sequence_of_changes_leaves_what_an_array_would_hold(
        changes in proptest::collection::vec((0_u16..3, 0_usize..9000, 0_usize..40000, any::<u8>()), 1..30),
    ) {
        let disk = Arc::new(MemDisk::new(64 << 10));
        let server = Running::start(&disk, Limits::default());
        let mut client = server.client();
        let mut model = vec![0; 64 << 10];
        for (kind, offset, len, byte) in changes {
            let range = offset..offset + len;
            match kind {
                0 => client.send_write(1, offset as u64, &vec![byte; len]),
                1 => client.send(WRITE_ZEROES, 0, 1, offset as u64, u32::try_from(len).unwrap()),
                _ => client.send(READ, 0, 1, offset as u64, u32::try_from(len).unwrap()),
            }
            match kind {
                0 => model[range.clone()].fill(byte),
                1 => model[range.clone()].fill(0),
                _ => (),
            }
            let expected = if kind == 2 { &model[range] } else { &[] };
            prop_assert_eq!(client.reply(), Reply::ok(1, expected));
        }
        prop_assert!(disk.content() == model);
    }
}
