//! Real files, a real server, a real client.

mod placed;

use std::fs;
use std::path::Path;
use std::thread::{self, JoinHandle};

use datapath::cipher::dispatch;
use datapath::export::nbd::{Config, Handle, Limits, Listen, RunError, Server};
use keywrap::keys::MasterKey;
use keywrap::secret::Secret;
use tempfile::TempDir;

use super::*;
use client::{Client, FLUSH, READ, WRITE};

#[path = "../../../../datapath/tests/support/nbd_client.rs"]
#[expect(dead_code, unreachable_pub, reason = "shared with tests that need more of it")]
mod client;

const SIZE: u64 = 4 << 20;
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

struct Rig {
    dir: TempDir,
    host: FileHost,
    handle: Handle,
    thread: Option<JoinHandle<Result<(), RunError>>>,
}

struct Key(KeyId, MasterKey);

impl Key {
    fn new() -> Self {
        Self(KeyId::random(), MasterKey(Secret::random().unwrap()))
    }

    fn wrapping(&self) -> WrappingKey<'_> {
        WrappingKey { id: self.0, key: &self.1 }
    }
}

impl Rig {
    fn new() -> Self {
        Self::in_dir(tempfile::tempdir().unwrap())
    }

    fn in_dir(dir: TempDir) -> Self {
        let listen = vec![Listen::Unix(dir.path().join("nbd.sock"))];
        let limits = Limits::default();
        let config = Config { exports: vec![], listen, tls: None, limits, workers: Some(2), ring: None };
        let server = Server::bind(config).unwrap();
        let (handle, engine) = (server.handle(), dispatch::choose(None).unwrap().engine);
        let host = {
            let run_dir = dir.path().join("run");
            fs::create_dir_all(&run_dir).unwrap();
            let surroundings = Surroundings { run_dir, listens: Vec::new() };
            let place = (dir.path().join("volumes"), Scope::everything());
            FileHost::new(place, server.publisher(), engine, surroundings).unwrap()
        };
        Self { dir, host, handle, thread: Some(thread::spawn(move || server.run())) }
    }

    /// A volume that is open.
    fn volume(&self, name: &str, key: &Key) -> Uuid {
        let uuid = Uuid::new_v4();
        self.host.create(&new(uuid, name), key.wrapping()).unwrap();
        self.host.open(uuid, name, Offer::ReadWrite, key.wrapping()).unwrap();
        uuid
    }

    fn client(&self, name: &str) -> Client {
        Client::connect(&self.dir.path().join("nbd.sock"), name, true).unwrap()
    }

    fn file(&self, uuid: Uuid) -> std::path::PathBuf {
        self.dir.path().join("volumes").join(format!("{uuid}.sear"))
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.handle.shutdown();
        self.thread.take().map(|thread| thread.join().unwrap());
    }
}

fn new(uuid: Uuid, name: &str) -> NewVolume {
    NewVolume { uuid, name: name.into(), size: SIZE, small_sectors: false }
}

fn write(client: &mut Client, offset: u64, data: &[u8]) -> Result<Vec<u8>, u32> {
    client.send((WRITE, 0), 1, offset, data.len(), data).unwrap();
    client.reply().unwrap().1
}

fn read(client: &mut Client, offset: u64, len: usize) -> Result<Vec<u8>, u32> {
    client.send((READ, 0), 2, offset, len, &[]).unwrap();
    client.reply().unwrap().1
}

fn kind(result: Result<(), HostError>) -> Option<HostErrorKind> {
    result.err().map(|error| error.kind)
}

fn contains(path: &Path, pattern: &[u8]) -> bool {
    fs::read(path).unwrap().windows(pattern.len()).any(|bytes| bytes == pattern)
}

#[test]
fn what_a_client_writes_is_there_when_the_volume_is_opened_again_and_is_not_plain_on_the_medium() {
    let (rig, key) = (Rig::new(), Key::new());
    let uuid = rig.volume("vol", &key);
    write(&mut rig.client("vol"), 4096, &[0xa5; 8192]).unwrap();
    rig.host.close(uuid).unwrap();
    assert!(!rig.host.is_open(uuid) && rig.host.stats(uuid).is_none());
    assert!(Client::connect(&rig.dir.path().join("nbd.sock"), "vol", true).is_err());
    assert!(!contains(&rig.file(uuid), &[0xa5; 64]));
    rig.host.open(uuid, "other name", Offer::ReadOnly, key.wrapping()).unwrap();
    let mut client = rig.client("other name");
    assert_eq!(read(&mut client, 4096, 8192), Ok(vec![0xa5; 8192]));
    assert_eq!(write(&mut client, 0, &[1; 4096]), Err(1), "EPERM");
    rig.host.open(uuid, "other name", Offer::ReadWrite, key.wrapping()).unwrap();
    write(&mut rig.client("other name"), 0, &[1; 4096]).unwrap();
}

#[test]
fn every_call_may_be_repeated() {
    let (rig, key) = (Rig::new(), Key::new());
    let uuid = rig.volume("vol", &key);
    let path = rig.host.create(&new(uuid, "vol"), key.wrapping()).unwrap();
    assert_eq!(path, rig.file(uuid));
    rig.host.open(uuid, "vol", Offer::ReadWrite, key.wrapping()).unwrap();
    for size in [2 * SIZE, 2 * SIZE] {
        rig.host.grow(uuid, size, key.wrapping()).unwrap();
    }
    let (id, next) = (key.0, Key::new());
    for _ in 0..2 {
        rig.host.rewrap(uuid, key.wrapping(), next.wrapping()).unwrap();
        assert_eq!(rig.host.key_ids(uuid).unwrap(), [next.0], "not {id}");
    }
    assert_eq!(kind(rig.host.erase(uuid)), Some(HostErrorKind::InUse));
    for _ in 0..2 {
        rig.host.close(uuid).unwrap();
    }
    for _ in 0..2 {
        rig.host.erase(uuid).unwrap();
    }
    assert!(!rig.file(uuid).exists());
    assert_eq!(rig.host.key_ids(uuid).unwrap_err().kind, HostErrorKind::Absent);
}

#[test]
fn io_goes_on_while_the_master_key_is_replaced() {
    let (rig, old, new) = (Rig::new(), Key::new(), Key::new());
    let uuid = rig.volume("vol", &old);
    let mut client = rig.client("vol");
    write(&mut client, 0, &[7; 4096]).unwrap();
    rig.host.rewrap(uuid, old.wrapping(), new.wrapping()).unwrap();
    assert_eq!(read(&mut client, 0, 4096), Ok(vec![7; 4096]));
    write(&mut client, 4096, &[8; 4096]).unwrap();
    rig.host.close(uuid).unwrap();
    let stale = rig.host.open(uuid, "vol", Offer::ReadWrite, old.wrapping());
    assert_eq!(kind(stale), Some(HostErrorKind::WrongKey));
    rig.host.open(uuid, "vol", Offer::ReadWrite, new.wrapping()).unwrap();
    assert_eq!(read(&mut rig.client("vol"), 4096, 4096), Ok(vec![8; 4096]));
}

#[test]
fn a_volume_grows_while_it_is_open_and_while_it_is_not() {
    let (rig, key) = (Rig::new(), Key::new());
    let uuid = rig.volume("vol", &key);
    rig.host.grow(uuid, 2 * SIZE, key.wrapping()).unwrap();
    write(&mut rig.client("vol"), 2 * SIZE - 4096, &[3; 4096]).unwrap();
    assert_eq!(kind(rig.host.grow(uuid, SIZE, key.wrapping())), Some(HostErrorKind::Unfit));
    rig.host.close(uuid).unwrap();
    rig.host.grow(uuid, 3 * SIZE, key.wrapping()).unwrap();
    rig.host.open(uuid, "vol", Offer::ReadWrite, key.wrapping()).unwrap();
    assert_eq!(read(&mut rig.client("vol"), 2 * SIZE - 4096, 4096), Ok(vec![3; 4096]));
    write(&mut rig.client("vol"), 3 * SIZE - 4096, &[4; 4096]).unwrap();
}

#[test]
fn what_a_crash_left_half_made_is_gone_after_the_next_start_and_nothing_else_is() {
    let (rig, key) = (Rig::new(), Key::new());
    let uuid = rig.volume("vol", &key);
    let dir = rig.dir.path().join("volumes");
    let (half, foreign) = (dir.join(format!("{}.sear.new", Uuid::new_v4())), dir.join("notes.sear.new"));
    fs::write(&half, b"half").unwrap();
    fs::write(&foreign, b"mine").unwrap();
    Files::in_dir(dir, Scope::everything()).unwrap();
    assert!(!half.exists() && foreign.exists() && rig.file(uuid).exists());
}

#[test]
fn an_erased_volume_that_was_cut_before_its_file_went_is_erased_again() {
    let (rig, key) = (Rig::new(), Key::new());
    let uuid = rig.volume("vol", &key);
    rig.host.close(uuid).unwrap();
    fs::write(rig.file(uuid), vec![9; 32 << 20]).unwrap();
    rig.host.erase(uuid).unwrap();
    assert!(!rig.file(uuid).exists());
}

#[test]
fn the_numbers_are_those_of_what_was_done() {
    let (rig, key) = (Rig::new(), Key::new());
    let uuid = rig.volume("vol", &key);
    let mut client = rig.client("vol");
    write(&mut client, 0, &[7; 8192]).unwrap();
    read(&mut client, 0, 4096).unwrap();
    read(&mut client, 1, 512).unwrap();
    client.send((FLUSH, 0), 3, 0, 0, &[]).unwrap();
    client.reply().unwrap().1.unwrap();
    let stats = rig.host.stats(uuid).unwrap();
    assert_eq!((stats.write_ops, stats.write_bytes, stats.read_ops), (1, 8192, 2));
    assert_eq!((stats.unaligned_reads, stats.unaligned_writes, stats.in_flight), (1, 0, 0));
    let counts = |name: &str| rig.host.all_counts().into_iter().find(|(of, _)| of == name).unwrap().1;
    let by_kind = |name: &str| counts(name).latencies.map(|latency| (latency.count(), latency.errors));
    // Times are noted when the turn ends in which the answer goes out, which may be a little later.
    let soon = |wanted: [(u64, u64); 4]| crate::wait::wait_until(PATIENCE, || by_kind("vol") == wanted);
    assert!(soon([(2, 0), (1, 0), (1, 0), (0, 0)]), "{:?}", by_kind("vol"));
    assert!(counts("vol").latencies[0].nanos > 0);
    // Offered in another way, it goes on counting for everybody; closed and opened, only for whoever counts for ever.
    rig.host.open(uuid, "vol", Offer::ReadOnly, key.wrapping()).unwrap();
    read(&mut rig.client("vol"), 0, 4096).unwrap();
    assert_eq!(rig.host.stats(uuid).unwrap().read_ops, 3);
    assert_eq!(write(&mut rig.client("vol"), 0, &[1; 4096]), Err(1));
    // Closing it to offer it anew has flushed it.
    assert!(soon([(3, 0), (1, 0), (2, 0), (0, 0)]), "{:?}", by_kind("vol"));
    rig.host.close(uuid).unwrap();
    assert_eq!(by_kind("vol")[0], (3, 0));
    rig.host.open(uuid, "vol", Offer::ReadWrite, key.wrapping()).unwrap();
    assert_eq!((rig.host.stats(uuid).unwrap().read_ops, by_kind("vol")[0]), (0, (3, 0)));
    rig.host.close(uuid).unwrap();
    rig.host.erase(uuid).unwrap();
    assert_eq!(rig.host.all_counts().len(), 0);
}

#[test]
fn calls_about_different_volumes_run_at_the_same_time() {
    let (rig, key) = (Rig::new(), Key::new());
    let names: Vec<String> = (0..8).map(|n| format!("vol{n}")).collect();
    thread::scope(|scope| {
        for name in &names {
            let (rig, key) = (&rig, &key);
            scope.spawn(move || {
                let uuid = rig.volume(name, key);
                write(&mut rig.client(name), 0, name.repeat(1024).as_bytes()).unwrap();
                rig.host.close(uuid).unwrap();
                rig.host.open(uuid, name, Offer::ReadWrite, key.wrapping()).unwrap();
            });
        }
    });
    for name in &names {
        assert_eq!(read(&mut rig.client(name), 0, 4), Ok(name.as_bytes().to_vec()));
    }
}

#[test]
fn a_volume_whose_master_key_is_lost_is_saved_by_the_data_key_while_it_is_open() {
    let (rig, lost, new) = (Rig::new(), Key::new(), Key::new());
    let uuid = rig.volume("v", &lost);
    rig.host.rewrap_open(uuid, lost.0, new.wrapping()).unwrap();
    assert_eq!(rig.host.key_ids(uuid).unwrap(), [new.0]);
    rig.host.rewrap_open(uuid, lost.0, new.wrapping()).unwrap();
    rig.host.close(uuid).unwrap();
    assert_eq!(rig.host.rewrap_open(uuid, new.0, lost.wrapping()).unwrap_err().kind, HostErrorKind::Absent);
    assert!(rig.host.open(uuid, "v", Offer::ReadWrite, lost.wrapping()).is_err());
    rig.host.open(uuid, "v", Offer::ReadWrite, new.wrapping()).unwrap();
}

#[test]
fn a_backup_of_a_header_is_wrapped_anew_and_erased_like_a_volume() {
    let (rig, old, new) = (Rig::new(), Key::new(), Key::new());
    let (uuid, other) = (rig.volume("v", &old), rig.volume("w", &old));
    let path = rig.host.backup_path(uuid, Uuid::new_v4());
    rig.host.back_up_header(uuid, &path).unwrap();
    assert!(rig.host.back_up_header(uuid, &path).is_err(), "nothing is overwritten");
    assert_eq!(rig.host.backup_key_ids(uuid, &path).unwrap(), [old.0]);
    assert_eq!(
        rig.host.backup_key_ids(other, &path).unwrap_err().kind,
        HostErrorKind::Absent,
        "it is of another volume"
    );

    rig.host.rewrap_backup(uuid, &path, old.wrapping(), new.wrapping()).unwrap();
    rig.host.rewrap_backup(uuid, &path, old.wrapping(), new.wrapping()).unwrap();
    assert_eq!(rig.host.backup_key_ids(uuid, &path).unwrap(), [new.0]);
    assert_eq!(rig.host.key_ids(uuid).unwrap(), [old.0], "the volume itself is another matter");

    rig.host.erase_backup(uuid, &path).unwrap();
    assert!(!path.exists());
    assert_eq!(rig.host.erase_backup(uuid, &path).unwrap_err().kind, HostErrorKind::Absent);
    fs::write(&path, b"not made to its end").unwrap();
    rig.host.erase_backup(uuid, &path).unwrap();
    assert!(!path.exists());
}
