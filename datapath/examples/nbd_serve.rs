//! Serves a disk encrypted under a random key over NBD until standard input ends: for trying clients and for
//! measurements. What is written is lost with the key.
//!
//! `cargo run --release -p datapath --example nbd_serve -- [--plain] [--poll] [--buffered] [--workers=N] BACKING LISTEN
//! [TLS_CERT TLS_KEY [CLIENT_CA]]`, where BACKING is a number of bytes in memory or an existing file, and LISTEN is
//! `unix:PATH` or `tcp:ADDRESS:PORT`. `--plain` leaves the encryption out, `--poll` io_uring, `--buffered` direct I/O.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::Read;
use std::sync::Arc;
use std::{env, io, thread};

use datapath::backend::Backend;
use datapath::backend::file::FileBackend;
use datapath::backend::mem::MemBackend;
use datapath::export::nbd::{Config, Export, Limits, Listen, Server, TlsConfig};
use datapath::ring::Kind;
use datapath::volume::{DiskOptions, Volume};
use keywrap::geometry::{ByteLen, DataSegment, SectorSize};
use keywrap::keys::VolumeKey;

fn main() -> Result<(), Box<dyn Error>> {
    let (flags, args): (Vec<String>, Vec<String>) = env::args().skip(1).partition(|arg| arg.starts_with("--"));
    let [backing, listen, tls @ ..] = &args[..] else {
        return Err("usage: nbd_serve [FLAGS] BACKING LISTEN [CERT KEY [CA]]".into());
    };
    let has = |flag: &str| flags.iter().any(|given| given == flag);
    let volume = Arc::new(open(backing, has("--plain"), !has("--buffered"))?);
    let export = Export { name: "disk".into(), description: "under a random key".into(), volume };
    let listen = match listen.split_once(':') {
        Some(("unix", path)) => Listen::Unix(path.into()),
        Some(("tcp", address)) => Listen::Tcp(address.parse()?),
        _ => return Err("LISTEN is unix:PATH or tcp:ADDRESS:PORT".into()),
    };
    let workers = flags.iter().find_map(|flag| flag.strip_prefix("--workers=")).map(str::parse).transpose()?;
    let ring = has("--poll").then_some(Kind::Poll);
    let config = Config {
        exports: vec![export],
        listen: vec![listen],
        tls: tls_config(tls),
        limits: Limits::default(),
        workers,
        ring,
    };
    let server = Server::bind(config)?;
    server.uris().iter().for_each(|uri| println!("{uri}"));
    let handle = server.handle();
    thread::spawn(move || {
        // The end of the input, or an error in its place, is the wish to stop.
        let _ = io::stdin().read_to_end(&mut Vec::new());
        handle.shutdown();
    });
    Ok(server.run()?)
}

fn open(backing: &str, plain: bool, direct: bool) -> Result<Volume, Box<dyn Error>> {
    let backing: Box<dyn Backend> = match backing.parse() {
        Ok(len) => Box::new(MemBackend::new(len)),
        Err(_) => {
            let file = OpenOptions::new().read(true).write(true).open(backing)?;
            Box::new(FileBackend::new(file, SectorSize::B4096, direct)?)
        }
    };
    let options = DiskOptions { discards: true, ..DiskOptions::default() };
    if plain {
        return Ok(Volume::plain(backing, SectorSize::B4096, options)?);
    }
    let segment = DataSegment { offset: 0, len: ByteLen(backing.len()?), sector_size: SectorSize::B4096, iv_tweak: 0 };
    Ok(Volume::open(backing, &VolumeKey::random()?, segment, options)?)
}

fn tls_config(args: &[String]) -> Option<TlsConfig> {
    let [certificates, key, ca @ ..] = args else { return None };
    let client_authorities = ca.first().map(Into::into);
    Some(TlsConfig { certificates: certificates.into(), key: key.into(), client_authorities, optional: false })
}
