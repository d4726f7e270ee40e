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
use super::front_end::{Guest, OK, QUEUES, READ, WRITE};
use super::requests::Random;
use super::served::{LEN, Served};

/// Names the folder of the server that is a process of its own.
const FOLDER: &str = "SEAR_TEST_VHOST_FOLDER";
/// Bytes of each write.
const WRITE_LEN: u32 = 64 << 10;
/// Deaths that must find requests in flight.
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

/// Where a slot writes.
fn sector(slot: u16) -> u64 {
    u64::from(slot) * (LEN / u64::from(SLOTS)) / 512
}

fn pattern(slot: u16, generation: u64) -> Vec<u8> {
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
    let len = usize::try_from(inflight.mmap_size).unwrap();
    let notes: MmapRegion = MmapRegion::from_file(FileOffset::new(file.try_clone().unwrap(), 0), len).unwrap();
    let in_flight = |slot: u16| -> bool {
        notes.as_volatile_slice().read_obj::<u8>(16 + 16 * usize::from(slot * PART)).unwrap() != 0
    };
    // Generation 0 was acknowledged long ago.
    let mut generations = [0_u64; SLOTS as usize];
    let mut is_pending = [false; SLOTS as usize];
    let (mut deaths, mut rounds) = (0, 0);
    while deaths < DEATHS {
        rounds += 1;
        assert!(rounds < 100, "the server is never killed with requests in flight");
        guest.front_end.set_inflight_fd(&inflight, file.as_raw_fd()).unwrap();
        let used = guest.used(0);
        guest.start(0, used);
        for _ in 0..3 * SLOTS + rounds {
            let earlier = guest.queues[0].position();
            for slot in 0..SLOTS {
                if !is_pending[usize::from(slot)] {
                    generations[usize::from(slot)] += 1;
                    is_pending[usize::from(slot)] = true;
                    guest.put_data(slot, &pattern(slot, generations[usize::from(slot)]));
                    guest.add(0, slot, WRITE, sector(slot), WRITE_LEN);
                }
            }
            guest.queues[0].kick(earlier);
            let (slot, _) = guest.queues[0].wait();
            assert!(std::mem::take(&mut is_pending[usize::from(slot)]), "slot {slot} is done twice");
            assert_eq!(guest.status(0, slot), OK);
        }
        drop(server.take());
        deaths += u32::from((0..SLOTS).any(in_flight));
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
        assert!(guest.get_data(slot, WRITE_LEN as usize) == pattern(slot, generations[usize::from(slot)]), "{slot}");
    }
}
