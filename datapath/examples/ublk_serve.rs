//! Serves a file as a block device, `/dev/ublkbN`, until standard input ends: the plain pass-through beside which
//! `sear up --ublk` is measured. The kernel needs the module `ublk_drv`.
//!
//! `cargo run --release -p datapath --example ublk_serve -- FILE`

use std::error::Error;
use std::fs::OpenOptions;
use std::io::Read;
use std::sync::Arc;
use std::{env, io};

use datapath::backend::file::FileBackend;
use datapath::export::ublk::{Config, Device};
use datapath::ring::Kind;
use datapath::volume::{DiskOptions, Volume};
use datapath::worker::Workers;
use keywrap::geometry::SectorSize;

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args_os().nth(1).ok_or("usage: ublk_serve FILE")?;
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let backing = Box::new(FileBackend::new(file, SectorSize::B4096, true)?);
    let volume = Arc::new(Volume::plain(backing, SectorSize::B4096, DiskOptions::default())?);
    let workers = Workers::start(2, Kind::Uring, &[Arc::clone(&volume)])?;
    let uuid = u128::from(std::process::id()).to_le_bytes();
    let mut device = Device::start(&workers, Config { volume, disk: 0, uuid })?;
    println!("{}", device.path().display());
    io::stdin().read_to_end(&mut Vec::new())?;
    device.remove()?;
    workers.stop();
    Ok(workers.join()?)
}
