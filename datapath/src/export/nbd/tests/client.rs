//! A client of few lines: it sends what it is told and reads what comes.

use std::io::{self, Read, Write};

/// Option codes, commands and flags, from the protocol's text.
pub(super) const READ: u16 = 0;
pub(super) const WRITE: u16 = 1;
pub(super) const DISC: u16 = 2;
pub(super) const FLUSH: u16 = 3;
pub(super) const TRIM: u16 = 4;
pub(super) const WRITE_ZEROES: u16 = 6;
pub(super) const BLOCK_STATUS: u16 = 7;
pub(super) const OPT_EXPORT_NAME: u32 = 1;
pub(super) const OPT_STARTTLS: u32 = 5;
pub(super) const OPT_GO: u32 = 7;
pub(super) const OPT_STRUCTURED: u32 = 8;
pub(super) const OPT_SET_META: u32 = 10;
pub(super) const ACK: u32 = 1;

/// A reply in the transmission phase.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) cookie: u64,
    pub(super) error: u32,
    /// Data of a read, or the descriptors of a block status.
    pub(super) data: Vec<u8>,
}

impl Reply {
    pub(super) fn ok(cookie: u64, data: &[u8]) -> Self {
        Self { cookie, error: 0, data: data.to_vec() }
    }
}

pub(super) struct Client<S> {
    pub(super) stream: S,
}

impl<S: Read + Write> Client<S> {
    /// Reads the greeting and answers it.
    pub(super) fn greet(mut stream: S) -> Self {
        let mut greeting = [0; 18];
        stream.read_exact(&mut greeting).unwrap();
        assert_eq!(&greeting, b"NBDMAGICIHAVEOPT\0\x03");
        stream.write_all(&[0, 0, 0, 3]).unwrap();
        Self { stream }
    }

    pub(super) fn send_option(&mut self, code: u32, data: &[u8]) {
        let len = u32::try_from(data.len()).unwrap();
        let bytes = [&b"IHAVEOPT"[..], &code.to_be_bytes(), &len.to_be_bytes(), data].concat();
        self.stream.write_all(&bytes).unwrap();
    }

    /// Sends an option and returns the code of its last reply.
    pub(super) fn option(&mut self, code: u32, data: &[u8]) -> u32 {
        self.send_option(code, data);
        loop {
            let mut head = [0; 20];
            self.stream.read_exact(&mut head).unwrap();
            let word = |at: usize| u32::from_be_bytes(head[at..at + 4].try_into().unwrap());
            assert_eq!(word(8), code);
            let mut data = vec![0; word(16) as usize];
            self.stream.read_exact(&mut data).unwrap();
            // 2 to 4 are the replies that others follow.
            if !(2..=4).contains(&word(12)) {
                return word(12);
            }
        }
    }

    /// Enters the transmission phase of an export, with structured replies and block status.
    pub(super) fn go(&mut self, name: &str) {
        let name = [&u32::try_from(name.len()).unwrap().to_be_bytes()[..], name.as_bytes()].concat();
        let meta = [&name[..], &[0, 0, 0, 1, 0, 0, 0, 15], b"base:allocation"].concat();
        assert_eq!(self.option(OPT_STRUCTURED, &[]), ACK);
        assert_eq!(self.option(OPT_SET_META, &meta), ACK);
        assert_eq!(self.option(OPT_GO, &[&name[..], &[0, 0]].concat()), ACK);
    }

    pub(super) fn send(&mut self, command: u16, flags: u16, cookie: u64, offset: u64, len: u32) {
        self.stream.write_all(&request(command, flags, cookie, offset, len)).unwrap();
    }

    pub(super) fn send_write(&mut self, cookie: u64, offset: u64, payload: &[u8]) {
        self.send(WRITE, 0, cookie, offset, u32::try_from(payload.len()).unwrap());
        self.stream.write_all(payload).unwrap();
    }

    /// The next structured reply. Chunks of other requests must not come between its own.
    pub(super) fn reply(&mut self) -> Reply {
        self.try_reply().unwrap()
    }

    pub(super) fn try_reply(&mut self) -> io::Result<Reply> {
        self.try_chunks().map(|(reply, _)| reply)
    }

    /// The next reply, and in how many chunks it came.
    pub(super) fn reply_in_chunks(&mut self) -> (Reply, usize) {
        self.try_chunks().unwrap()
    }

    /// Reads chunks until the last of the first one's request; those of a read are put in place by their offsets.
    fn try_chunks(&mut self) -> io::Result<(Reply, usize)> {
        let mut parts: Vec<(u64, Vec<u8>)> = Vec::new();
        loop {
            let mut head = [0; 20];
            self.stream.read_exact(&mut head)?;
            assert_eq!(head[..4], [0x66, 0x8e, 0x33, 0xef]);
            let last = head[5] == 1;
            let cookie = u64::from_be_bytes(head[8..16].try_into().unwrap());
            let mut payload = vec![0; u32::from_be_bytes(head[16..].try_into().unwrap()) as usize];
            self.stream.read_exact(&mut payload)?;
            let reply = match (head[6], head[7]) {
                (0, 0) => Reply::ok(cookie, &payload),
                (0, 1) => {
                    let offset = u64::from_be_bytes(payload[..8].try_into().unwrap());
                    parts.push((offset, payload.split_off(8)));
                    if !last {
                        continue;
                    }
                    parts.sort();
                    let chunks = parts.len();
                    let data: Vec<u8> = parts.into_iter().flat_map(|(_, data)| data).collect();
                    return Ok((Reply { cookie, error: 0, data }, chunks));
                }
                (0, 5) => Reply::ok(cookie, &payload[4..]),
                (0x80, 1) => {
                    Reply { cookie, error: u32::from_be_bytes(payload[..4].try_into().unwrap()), data: Vec::new() }
                }
                other => panic!("an unknown chunk {other:?}"),
            };
            assert!(last);
            return Ok((reply, 1));
        }
    }

    /// Whether the server closed the connection, with nothing more to read.
    pub(super) fn sees_the_end(mut self) -> bool {
        closed(&mut self.stream)
    }
}

pub(super) fn request(command: u16, flags: u16, cookie: u64, offset: u64, len: u32) -> Vec<u8> {
    let head = [&[0x25, 0x60, 0x95, 0x13][..], &flags.to_be_bytes(), &command.to_be_bytes(), &cookie.to_be_bytes()];
    [&head.concat()[..], &offset.to_be_bytes(), &len.to_be_bytes()].concat()
}

/// Waits for the end of a stream; false when something else comes first, which is printed.
pub(super) fn closed(stream: &mut impl Read) -> bool {
    let mut byte = [0];
    let received = loop {
        match stream.read(&mut byte) {
            // A read with a time limit does not go on by itself after the process was stopped and continued.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            other => break other,
        }
    };
    let ended = match &received {
        Ok(count) => *count == 0,
        Err(error) => [io::ErrorKind::ConnectionReset, io::ErrorKind::UnexpectedEof].contains(&error.kind()),
    };
    if !ended {
        eprintln!("not the end but {received:?} {byte:?}");
    }
    ended
}
