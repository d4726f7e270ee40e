//! A server that is killed with requests in flight, again and again.

use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use datapath::ring::Kind;
use datapath::volume::DiskOptions;
use keywrap::geometry::SectorSize;
use vhost::vhost_user::VhostUserFrontend;
use vhost::vhost_user::message::VhostUserInflight;
use vm_memory::mmap::MmapRegion;
use vm_memory::{Bytes, FileOffset, VolatileMemory};

use super::driver::{PART, SIZE, SLOTS};
use super::front_end::{Guest, OK, QUEUES, READ, WRITE, WRITE_ZEROES};
use super::requests::Random;
use super::served::{LEN, Served};

/// Names the folder of the server that is a process of its own.
const FOLDER: &str = "SEAR_TEST_VHOST_FOLDER";
/// Deaths that must find requests in flight that later ones have overtaken: the rings alone do not tell which they are.
const DEATHS: u32 = 4;

#[test]
#[ignore = "the server of another test, in a process of its own"]
fn serve_until_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let _served = Served::at(PathBuf::from(folder), Kind::Uring, SectorSize::B4096, DiskOptions::default());
    loop {
        std::thread::park();
    }
}

/// A server. Dropped, it is killed.
struct Server(Child);

impl Server {
    fn start(folder: &Path) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::serve_until_killed", "--ignored"])
            .env(FOLDER, folder)
            .stdout(Stdio::null())
            .spawn();
        let server = Self(child.unwrap());
        let end = Instant::now() + Duration::from_secs(60);
        while UnixStream::connect(folder.join("socket")).is_err() {
            assert!(Instant::now() < end, "the server does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// The slot whose requests take long, so that others overtake them: it writes zeroes, and the others data.
const LONG: u16 = 0;
/// How many zeroes, at the volume's end.
const ZEROES: u64 = 16 << 20;
/// Bytes that another slot writes.
const WRITE_LEN: u32 = 4 << 10;

/// Where a slot writes.
fn sector(slot: u16) -> u64 {
    if slot == LONG { (LEN - ZEROES) / 512 } else { u64::from(slot) << 11 }
}

/// What a slot's data is; for zeroes it is where and how many.
fn pattern(slot: u16, generation: u64) -> Vec<u8> {
    if slot == LONG {
        return [sector(LONG).to_le_bytes(), (ZEROES / 512).to_le_bytes()].concat();
    }
    Random(u64::from(slot) << 32 | generation).bytes(WRITE_LEN as usize)
}

#[test]
fn a_server_that_is_killed_loses_no_request_and_does_none_twice() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let mut server = Some(Server::start(folder.path()));
    let mut guest = Guest::new(&socket, 0);
    guest.reconnect(&socket);
    let wanted = VhostUserInflight { mmap_size: 0, mmap_offset: 0, num_queues: QUEUES, queue_size: SIZE };
    let (inflight, file) = guest.front_end.get_inflight_fd(&wanted).unwrap();
    let notes_len = usize::try_from(inflight.mmap_size).unwrap();
    let notes: MmapRegion = MmapRegion::from_file(FileOffset::new(file.try_clone().unwrap(), 0), notes_len).unwrap();
    let in_flight = |slot: u16| -> bool {
        notes.as_volatile_slice().read_obj::<u8>(16 + 16 * usize::from(slot * PART)).unwrap() != 0
    };
    // Generation 0 was acknowledged long ago.
    let mut generations = [0_u64; SLOTS as usize];
    let mut is_pending = [false; SLOTS as usize];
    // Where in the available ring each slot's request is.
    let mut places = [0_u16; SLOTS as usize];
    let (mut deaths, mut rounds) = (0, 0);
    while deaths < DEATHS {
        rounds += 1;
        assert!(rounds < 100, "the server is never killed with such requests in flight");
        guest.front_end.set_inflight_fd(&inflight, file.as_raw_fd()).unwrap();
        let used = guest.used(0);
        guest.start(0, used);
        for _ in 0..3 * SLOTS + rounds {
            let earlier = guest.queues[0].position();
            for slot in 0..SLOTS {
                if !is_pending[usize::from(slot)] {
                    generations[usize::from(slot)] += 1;
                    is_pending[usize::from(slot)] = true;
                    let data = pattern(slot, generations[usize::from(slot)]);
                    guest.put_data(slot, &data);
                    places[usize::from(slot)] = guest.queues[0].position();
                    let kind = if slot == LONG { WRITE_ZEROES } else { WRITE };
                    guest.add(0, slot, kind, sector(slot), u32::try_from(data.len()).unwrap());
                }
            }
            guest.queues[0].kick(earlier);
            let (slot, _) = guest.queues[0].wait();
            assert!(std::mem::take(&mut is_pending[usize::from(slot)]), "slot {slot} is done twice");
            assert_eq!(guest.status(0, slot), OK);
        }
        drop(server.take());
        let done = guest.used(0);
        let is_overtaken = |slot: u16| in_flight(slot) && places[usize::from(slot)].wrapping_sub(done) > SIZE;
        deaths += u32::from((0..SLOTS).any(is_overtaken));
        server = Some(Server::start(folder.path()));
        guest.reconnect(&socket);
    }
    guest.front_end.set_inflight_fd(&inflight, file.as_raw_fd()).unwrap();
    let used = guest.used(0);
    guest.start(0, used);
    while is_pending.contains(&true) {
        let (slot, _) = guest.queues[0].wait();
        assert!(std::mem::take(&mut is_pending[usize::from(slot)]), "slot {slot} is done twice");
    }
    for slot in 0..SLOTS {
        let earlier = guest.queues[0].position();
        guest.add(0, slot, READ, sector(slot), WRITE_LEN);
        guest.queues[0].kick(earlier);
        assert_eq!(guest.queues[0].wait().0, slot);
        let expected =
            if slot == LONG { vec![0; WRITE_LEN as usize] } else { pattern(slot, generations[usize::from(slot)]) };
        assert!(guest.get_data(slot, WRITE_LEN as usize) == expected, "{slot}");
    }
}
