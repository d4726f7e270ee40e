//! Clients that are slow, greedy or broken.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use ekm_bridge::rpc::server::Limits;
use serde_json::json;

use crate::Rig;
use crate::client::{Client, Response};

/// What a client does wrong must not keep others from being served.
fn still_serves(rig: &Rig) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let mut admin = rig.admin();
        let request = admin.request("POST", "/json-rpc/12.3", br#"{"method":"GetClusterInfo","id":1}"#);
        // On a busy machine even an honest client may be slower than the limits of these tests.
        match admin.send(&request) {
            Ok(response) if response.status == 200 => return,
            outcome => assert!(Instant::now() < deadline, "{outcome:?}"),
        }
    }
}

/// Short enough for a test, long enough for an honest client on a busy machine.
const HASTY: Duration = Duration::from_secs(1);

/// How long it takes until the server closes; the client sends nothing more.
fn time_to_end(mut stream: impl Read) -> Duration {
    let begin = Instant::now();
    let mut rest = Vec::new();
    // An end without TLS's goodbye is an end too.
    let _ = stream.read_to_end(&mut rest);
    begin.elapsed()
}

#[test]
fn a_client_that_never_begins_tls_is_cut_off() {
    let rig = Rig::limited(Limits { handshake_time: HASTY, ..Limits::default() });
    let tcp = TcpStream::connect(rig.server.address()).unwrap();
    tcp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert!(time_to_end(tcp) < Duration::from_secs(10));
    still_serves(&rig);
}

#[test]
fn bytes_that_are_not_tls_are_cut_off() {
    let rig = Rig::with_cluster();
    let mut tcp = TcpStream::connect(rig.server.address()).unwrap();
    tcp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    tcp.write_all(b"POST /json-rpc/12.3 HTTP/1.1\r\n\r\n").unwrap();
    assert!(time_to_end(tcp) < Duration::from_secs(10));
    still_serves(&rig);
}

#[test]
fn a_client_that_never_ends_its_head_is_cut_off() {
    let rig = Rig::limited(Limits { head_time: HASTY, ..Limits::default() });
    let mut tls = rig.admin().connect().unwrap();
    let begin = Instant::now();
    // One byte now and then: the limit is for the whole head, not for each read.
    for byte in b"POST /json-rpc/12.3 HTTP/1.1\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".iter().cycle() {
        std::thread::sleep(Duration::from_millis(20));
        let sent = tls.get_mut().write_all(&[*byte]).and_then(|()| tls.get_mut().flush());
        if sent.is_err() || begin.elapsed() > Duration::from_secs(20) {
            break;
        }
    }
    assert!(begin.elapsed() < Duration::from_secs(10));
    still_serves(&rig);
}

#[test]
fn an_idle_connection_is_closed() {
    let rig = Rig::limited(Limits { head_time: HASTY, ..Limits::default() });
    let admin = rig.admin();
    let mut tls = admin.connect().unwrap();
    let request = admin.request("POST", "/json-rpc/12.3", br#"{"method":"GetAPI","id":1}"#);
    tls.get_mut().write_all(&request).unwrap();
    assert_eq!(Response::read(&mut tls).unwrap().status, 200);
    assert!(time_to_end(tls) < Duration::from_secs(10));
    still_serves(&rig);
}

#[test]
fn a_client_that_never_ends_its_body_gets_408() {
    let rig = Rig::limited(Limits { body_time: HASTY, ..Limits::default() });
    let admin = rig.admin();
    let mut request = admin.request("POST", "/json-rpc/12.3", &[b' '; 1_000]);
    request.truncate(request.len() - 1);
    let mut tls = admin.connect().unwrap();
    tls.get_mut().write_all(&request).unwrap();
    let response = Response::read(&mut tls).unwrap();
    assert_eq!((response.status, response.text().as_str()), (408, "408 Request Timeout"));
    still_serves(&rig);
}

#[test]
fn a_body_over_the_limit_gets_413_announced_or_not() {
    let rig = Rig::limited(Limits { body_bytes: 10_000, ..Limits::default() });
    let mut admin = rig.admin();
    let padded = |len: usize| {
        let mut body = br#"{"method":"GetAPI","id":1}"#.to_vec();
        body.resize(len, b' ');
        body
    };
    assert_eq!(admin.post(&padded(10_000)).status, 200);
    admin.disconnect();
    assert_eq!(admin.post(&padded(10_001)).status, 413);
    admin.disconnect();
    let length = format!("Content-Length: {}", 10_001);
    let request = String::from_utf8(admin.request("POST", "/json-rpc/12.3", &padded(10_001))).unwrap();
    let body = &request[request.find("\r\n\r\n").unwrap() + 4..];
    let chunked = request.replace(&length, "Transfer-Encoding: chunked");
    let head = &chunked[..chunked.find("\r\n\r\n").unwrap() + 4];
    let request = format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    assert_eq!(admin.send(request.as_bytes()).unwrap().status, 413);
    still_serves(&rig);
}

#[test]
fn a_stranger_s_body_is_not_read() {
    let rig = Rig::with_cluster();
    let nobody = rig.client(None);
    let mut request = nobody.request("POST", "/json-rpc/12.3", &[b' '; 1_000]);
    request.truncate(request.len() - 900);
    let mut tls = nobody.connect().unwrap();
    tls.get_mut().write_all(&request).unwrap();
    assert_eq!(Response::read(&mut tls).unwrap().status, 401);
}

#[test]
fn a_head_over_the_limit_is_refused() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    let long = format!("POST /json-rpc/12.3 HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "a".repeat(40_000));
    assert_refused(&mut admin, long.as_bytes());
    let many = format!("POST /json-rpc/12.3 HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-Many: 1\r\n".repeat(100));
    assert_refused(&mut admin, many.as_bytes());
    still_serves(&rig);
}

#[test]
fn malformed_http_is_refused() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    for request in
        ["\0\0\0\0\r\n\r\n", "POST\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"]
    {
        assert_refused(&mut admin, request.as_bytes());
    }
    still_serves(&rig);
}

/// Refused with a status of the 400s or by the end of the connection.
fn assert_refused(client: &mut Client, request: &[u8]) {
    client.disconnect();
    if let Ok(response) = client.send(request) {
        assert!((400..=499).contains(&response.status), "{response:?}");
    }
    client.disconnect();
}

#[test]
fn malformed_json_is_an_error_with_code_400() {
    let rig = Rig::with_cluster();
    let mut admin = rig.admin();
    let deep = format!(r#"{{"method":"GetAPI","params":{{"a":{}{}}}}}"#, "[".repeat(50), "]".repeat(50));
    for body in [
        "",
        "{",
        "[]",
        r#"[{"method":"GetAPI","id":1}]"#,
        "null",
        r#"{"id":1}"#,
        r#"{"method":"GetAPI","params":[1]}"#,
        &deep,
    ] {
        let response = admin.post(body.as_bytes());
        assert_eq!(response.status, 400, "{body}");
        assert_eq!(response.json()["error"]["code"], 400, "{body}");
        assert_eq!(response.json()["error"]["name"], "xInvalidRequest", "{body}");
    }
}

#[test]
fn one_address_gets_its_share_of_connections() {
    let rig = Rig::limited(Limits { connections_per_source: 3, ..Limits::default() });
    let admin = rig.admin();
    let held: Vec<_> = (0..3).map(|_| admin.connect().unwrap()).collect();
    assert!(admin.connect().is_err());
    drop(held);
    // The server notices the closed ones with its next look at them.
    let deadline = Instant::now() + Duration::from_secs(10);
    while admin.connect().is_err() {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn more_connections_than_there_is_room_for_wait() {
    let rig = Rig::limited(Limits { connections: 2, ..Limits::default() });
    let admin = rig.admin();
    let held: Vec<_> = (0..2).map(|_| admin.connect().unwrap()).collect();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| rig.admin().ok("GetAPI", json!({})));
        std::thread::sleep(Duration::from_millis(200));
        assert!(!waiting.is_finished());
        drop(held);
        waiting.join().unwrap();
    });
}
