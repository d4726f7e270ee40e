//! An NBD client of few lines that can keep requests in flight (NBD protocol, "Newstyle negotiation", "Transmission").

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Command numbers.
pub const READ: u16 = 0;
pub const WRITE: u16 = 1;
pub const FLUSH: u16 = 3;
pub const TRIM: u16 = 4;
pub const WRITE_ZEROES: u16 = 6;
/// The flag of a command that is to be on the medium before it is answered.
pub const FUA: u16 = 1;

const OPT_EXPORT_NAME: u32 = 1;
const OPT_GO: u32 = 7;
const OPT_STRUCTURED_REPLY: u32 = 8;
const SIMPLE: u32 = 0x6744_6698;
const STRUCTURED: u32 = 0x668e_33ef;

/// A connection in its transmission phase.
pub struct Client {
    pub stream: UnixStream,
    structured: bool,
    /// What is known of reads in flight: where each begins, and what has come.
    reads: HashMap<u64, (u64, Vec<u8>)>,
}

/// An answer: the data of a read, or nothing; or an error's number.
pub type Reply = (u64, Result<Vec<u8>, u32>);

impl Client {
    /// Connects and enters the transmission phase of the export, with structured or with simple replies.
    pub fn connect(socket: &Path, export: &str, structured: bool) -> io::Result<Self> {
        let mut client = Self { stream: UnixStream::connect(socket)?, structured, reads: HashMap::new() };
        client.take::<18>()?;
        // Fixed newstyle, no zeroes.
        client.stream.write_all(&[0, 0, 0, 3])?;
        if structured {
            client.option(OPT_STRUCTURED_REPLY, &[])?;
            client.option(OPT_GO, &[&length(export.len())[..], export.as_bytes(), &[0, 0]].concat())?;
        } else {
            client.send_option(OPT_EXPORT_NAME, export.as_bytes())?;
            client.take::<10>()?;
        }
        Ok(client)
    }

    fn send_option(&mut self, code: u32, data: &[u8]) -> io::Result<()> {
        let bytes = [&b"IHAVEOPT"[..], &code.to_be_bytes(), &length(data.len()), data].concat();
        self.stream.write_all(&bytes)
    }

    /// Sends an option and waits for its acknowledgement; information that comes before is skipped.
    fn option(&mut self, code: u32, data: &[u8]) -> io::Result<()> {
        self.send_option(code, data)?;
        loop {
            let head: [u8; 20] = self.take()?;
            let mut skipped = vec![0; word(&head[16..]) as usize];
            self.stream.read_exact(&mut skipped)?;
            match word(&head[12..16]) {
                1 => return Ok(()),
                3 => (),
                other => return Err(io::Error::other(format!("option {code} was answered with {other:#x}"))),
            }
        }
    }

    /// Sends a request; a write with its payload, whose length is `len`.
    pub fn send(
        &mut self,
        (command, flags): (u16, u16),
        cookie: u64,
        offset: u64,
        len: usize,
        data: &[u8],
    ) -> io::Result<()> {
        if command == READ && self.structured {
            self.reads.insert(cookie, (offset, vec![0; len]));
        } else if command == READ {
            self.reads.insert(cookie, (offset, Vec::with_capacity(len)));
        }
        let mut bytes = [0; 28];
        bytes[..4].copy_from_slice(&0x2560_9513_u32.to_be_bytes());
        bytes[4..6].copy_from_slice(&flags.to_be_bytes());
        bytes[6..8].copy_from_slice(&command.to_be_bytes());
        bytes[8..16].copy_from_slice(&cookie.to_be_bytes());
        bytes[16..24].copy_from_slice(&offset.to_be_bytes());
        bytes[24..].copy_from_slice(&length(len));
        self.stream.write_all(&bytes)?;
        self.stream.write_all(data)
    }

    /// The next request that is answered.
    pub fn reply(&mut self) -> io::Result<Reply> {
        loop {
            let magic = word(&self.take::<4>()?);
            let reply = match magic {
                SIMPLE => Some(self.simple()?),
                STRUCTURED => self.chunk()?,
                other => return Err(io::Error::other(format!("a reply begins with {other:#x}"))),
            };
            if let Some(reply) = reply {
                return Ok(reply);
            }
        }
    }

    fn simple(&mut self) -> io::Result<Reply> {
        let head: [u8; 12] = self.take()?;
        let (error, cookie) = (word(&head[..4]), long(&head[4..]));
        let mut data = self.reads.remove(&cookie).map(|(_, data)| data).unwrap_or_default();
        if error != 0 {
            return Ok((cookie, Err(error)));
        }
        data.resize(data.capacity(), 0);
        self.stream.read_exact(&mut data)?;
        Ok((cookie, Ok(data)))
    }

    /// A chunk; the reply, if it is the last one.
    fn chunk(&mut self) -> io::Result<Option<Reply>> {
        let head: [u8; 16] = self.take()?;
        let (done, kind) = (head[1] & 1 == 1, u16::from_be_bytes([head[2], head[3]]));
        let cookie = long(&head[4..12]);
        let mut payload = vec![0; word(&head[12..]) as usize];
        self.stream.read_exact(&mut payload)?;
        let mut error = 0;
        match (kind, self.reads.get_mut(&cookie)) {
            (0, _) => (),
            (1, Some((start, data))) => {
                let at = usize::try_from(long(&payload[..8]) - *start).map_err(io::Error::other)?;
                data[at..at + payload.len() - 8].copy_from_slice(&payload[8..]);
            }
            (0x8001 | 0x8002, _) => error = word(&payload[..4]),
            (other, _) => return Err(io::Error::other(format!("an unexpected chunk of type {other}"))),
        }
        if !done {
            return Ok(None);
        }
        let data = self.reads.remove(&cookie).map(|(_, data)| data).unwrap_or_default();
        Ok(Some((cookie, if error == 0 { Ok(data) } else { Err(error) })))
    }

    fn take<const LEN: usize>(&mut self) -> io::Result<[u8; LEN]> {
        let mut bytes = [0; LEN];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn length(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes()
}

fn word(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

fn long(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
}
