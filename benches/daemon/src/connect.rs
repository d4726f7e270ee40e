//! The way of an NBD client to its export (NBD protocol, "Newstyle negotiation").

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

const OPT_GO: u32 = 7;
const REP_ACK: u32 = 1;
const REP_INFO: u32 = 3;

/// Connects and negotiates until the export can be read and written.
pub(crate) fn connect(socket: &Path, export: &str) -> io::Result<UnixStream> {
    let mut stream = UnixStream::connect(socket)?;
    stream.read_exact(&mut [0; 18])?;
    let name = length(export.len())?;
    let data = [&name[..], export.as_bytes(), &[0, 0]].concat();
    let hello = [0, 0, 0, 3];
    let go = [&hello[..], b"IHAVEOPT", &OPT_GO.to_be_bytes(), &length(data.len())?, &data].concat();
    stream.write_all(&go)?;
    loop {
        let mut head = [0; 20];
        stream.read_exact(&mut head)?;
        let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        io::copy(&mut (&mut stream).take(word(16).into()), &mut io::sink())?;
        match word(12) {
            REP_ACK => return Ok(stream),
            REP_INFO => (),
            other => return Err(io::Error::other(format!("NBD_OPT_GO was answered with {other:#x}"))),
        }
    }
}

fn length(len: usize) -> io::Result<[u8; 4]> {
    u32::try_from(len).map(u32::to_be_bytes).map_err(io::Error::other)
}
