//! Serves a disk encrypted under a random key over NBD until standard input ends: for trying clients and for
//! measurements. What is written is lost with the key.
//!
//! `cargo run --release -p datapath --example nbd_serve -- BACKING LISTEN [TLS_CERT TLS_KEY [CLIENT_CA]]`, where BACKING
//! is a number of bytes in memory or an existing file, and LISTEN is `unix:PATH` or `tcp:ADDRESS:PORT`.

use std::error::Error;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::{env, io, thread};

use datapath::old::backend::Backend;
use datapath::old::backend::file::FileBackend;
use datapath::old::backend::mem::MemBackend;
use datapath::export::nbd::{Config, Export, Limits, Listen, Server, TlsConfig};
use datapath::old::volume::{DiskOptions, EncryptedDisk};
use keywrap::geometry::{ByteLen, DataSegment, SectorSize};
use keywrap::keys::VolumeKey;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [backing, listen, tls @ ..] = &args[..] else {
        return Err("usage: nbd_serve BACKING LISTEN [CERT KEY [CA]]".into());
    };
    let disk = Arc::new(open(backing)?);
    let export =
        Export { name: "disk".into(), description: "under a random key".into(), strict_alignment: false, disk };
    let listen = match listen.split_once(':') {
        Some(("unix", path)) => Listen::Unix(path.into()),
        Some(("tcp", address)) => Listen::Tcp(address.parse()?),
        _ => return Err("LISTEN is unix:PATH or tcp:ADDRESS:PORT".into()),
    };
    let config =
        Config { exports: vec![export], listen: vec![listen], tls: tls_config(tls), limits: Limits::default() };
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

fn open(backing: &str) -> Result<EncryptedDisk, Box<dyn Error>> {
    let backing: Box<dyn Backend> = match backing.parse() {
        Ok(len) => Box::new(MemBackend::new(len)?),
        Err(_) => Box::new(FileBackend::open(Path::new(backing), false)?),
    };
    let segment = DataSegment { offset: 0, len: ByteLen(backing.len()), sector_size: SectorSize::B4096, iv_tweak: 0 };
    let options = DiskOptions { discards: true, ..DiskOptions::default() };
    Ok(EncryptedDisk::open(backing, &VolumeKey::random()?, segment, options)?)
}

fn tls_config(args: &[String]) -> Option<TlsConfig> {
    let [certificates, key, ca @ ..] = args else { return None };
    let client_authorities = ca.first().map(Into::into);
    Some(TlsConfig { certificates: certificates.into(), key: key.into(), client_authorities, optional: false })
}
