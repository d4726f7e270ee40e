//! The hot path allocates nothing: no call of any engine does, and none in bulk inside of a thread pool that is warm.
//! From outside of a pool rayon queues each call, and its queue allocates now and then. No request allocates either, once
//! a worker is warm: neither at a queue nor at the NBD server.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/counting.rs"]
mod counting;
#[path = "support/nbd_client.rs"]
#[allow(dead_code, unreachable_pub, reason = "other tests use the rest")]
mod nbd_client;

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use counting::Counter;
use datapath::backend::Backend;
use datapath::backend::file::FileBackend;
use datapath::backend::mem::MemBackend;
use datapath::cipher::dispatch::Engine;
use datapath::cipher::{Buffers, Cipher, Direction};
use datapath::export::nbd::{Config, Export, Limits, Listen, Server};
use datapath::ring::{Held, Kind};
use datapath::volume::{DiskOptions, Finished, Job, SlowLane, Volume};
use datapath::worker::{Context, Errand, Inbox, Port, Worker};
use keywrap::geometry::{ByteLen, DataSegment, SectorSize};
use keywrap::keys::VolumeKey;
use keywrap::secret::SecretBytes;
use nbd_client::{Client, READ, WRITE};
use rayon::ThreadPoolBuilder;

fn cipher(engine: Engine, key_len: u8) -> Cipher {
    let bytes: Vec<u8> = (0..key_len).collect();
    Cipher::new(&VolumeKey::new(SecretBytes::copy_from(&bytes)).unwrap(), engine)
}

#[test]
fn no_call_of_any_engine_allocates() {
    static COUNTER: Counter = Counter::new();
    COUNTER.watch_this_thread();
    let (mut data, mut out) = (vec![1; 256 << 10], vec![2; 256 << 10]);
    for (engine, key_len) in Engine::available().flat_map(|engine| [(engine, 32), (engine, 64)]) {
        let cipher = cipher(engine, key_len);
        let count = COUNTER.allocations(|| {
            for unit in SectorSize::ALL {
                cipher.encrypt(&mut data, unit, 7);
                cipher.encrypt_to(&data, &mut out, unit, 7);
                cipher.decrypt_to(&data, &mut out, unit, 7);
                cipher.decrypt(&mut data, unit, 7);
                cipher.bulk(Direction::Encrypt, Buffers::InPlace(&mut data), unit, 7);
            }
            cipher.unit(Direction::Encrypt, &mut data[..5001], 7).unwrap();
            cipher.unit(Direction::Decrypt, &mut data[..5001], 7).unwrap();
        });
        assert_eq!(count, 0, "{engine} with a key of {key_len} bytes");
    }
}

#[test]
fn bulk_inside_of_a_warm_pool_allocates_nothing() {
    static COUNTER: Counter = Counter::new();
    let pool = ThreadPoolBuilder::new().num_threads(3).start_handler(|_| COUNTER.watch_this_thread()).build().unwrap();
    let (data, mut out) = (vec![1; 2 << 20], vec![2; 2 << 20]);
    for engine in Engine::available() {
        let cipher = cipher(engine, 64);
        let mut once =
            || cipher.bulk(Direction::Encrypt, Buffers::Copy { from: &data, to: &mut out }, SectorSize::B4096, 7);
        pool.install(|| {
            (0..20).for_each(|_| once());
            assert_eq!(COUNTER.allocations(|| (0..200).for_each(|_| once())), 0, "{engine}");
        });
    }
}

#[test]
fn an_allocation_is_counted() {
    static COUNTER: Counter = Counter::new();
    COUNTER.watch_this_thread();
    assert_eq!(COUNTER.allocations(|| drop(std::hint::black_box(vec![1; 100]))), 1);
}

// Requests.

const LEN: u64 = 8 << 20;
const BLOCK: usize = 4096;
/// Operations in one round.
const ROUND: usize = 2000;
const ROUNDS: usize = 8;
const DEPTH: u32 = 16;
/// What a round may allocate that is not a request's: its port. A worker's tick, twice in a second, allocates too, which
/// is why the best of some rounds counts.
const OVERHEAD: u64 = 4;

fn volume(backend: Box<dyn Backend>) -> Arc<Volume> {
    let key = VolumeKey::new(SecretBytes::copy_from(&(0..64).collect::<Vec<u8>>())).unwrap();
    let segment = DataSegment { offset: 0, len: ByteLen(LEN), sector_size: SectorSize::B4096, iv_tweak: 0 };
    Arc::new(Volume::open(backend, &key, segment, DiskOptions::default()).unwrap())
}

fn on_disk() -> Box<dyn Backend> {
    let file = tempfile::tempfile_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    file.set_len(LEN).unwrap();
    Box::new(FileBackend::new(file, SectorSize::B4096, true).unwrap())
}

/// Allocations in the best of some rounds, after one to get warm.
fn best(counter: &Counter, mut round: impl FnMut()) -> u64 {
    round();
    (0..ROUNDS).map(|_| counter.allocations(&mut round)).min().unwrap()
}

/// A port that reads and writes so many times.
struct Some4k {
    unstarted: usize,
    unfinished: Rc<Cell<usize>>,
    place: u64,
}

impl Some4k {
    fn start(&mut self, op: u32, cx: &mut Context<'_>) {
        if self.unstarted == 0 {
            return;
        }
        self.unstarted -= 1;
        self.place = (self.place + 7) % (LEN / BLOCK as u64);
        let (offset, mut chunk) = (self.place * BLOCK as u64, cx.ring.arena().take(BLOCK).unwrap());
        let job = if self.place.is_multiple_of(2) {
            Job::Read { offset, chunk }
        } else {
            cx.disk(0).seal(offset, &mut chunk);
            Job::Write { offset, chunk, fua: false }
        };
        cx.start(0, job, op);
    }
}

impl Port for Some4k {
    fn begin(&mut self, cx: &mut Context<'_>) {
        (0..DEPTH).for_each(|op| self.start(op, cx));
    }

    fn on_ring(&mut self, _: u32, _: io::Result<u32>, _: Held, _: &mut Context<'_>) {}

    fn on_disk(&mut self, op: u32, finished: Finished, cx: &mut Context<'_>) {
        finished.result.unwrap();
        drop(finished.payload);
        self.unfinished.set(self.unfinished.get() - 1);
        self.start(op, cx);
    }

    fn stop(&mut self, _: &mut Context<'_>) {}

    fn is_over(&self) -> bool {
        self.unfinished.get() == 0
    }
}

#[test]
fn no_operation_of_a_warm_queue_allocates() {
    static COUNTER: Counter = Counter::new();
    COUNTER.watch_this_thread();
    for backend in [on_disk(), Box::new(MemBackend::new(LEN))] {
        let (inbox, lane) = (Arc::new(Inbox::new().unwrap()), SlowLane::start().unwrap());
        let mut worker = Worker::new(Kind::Uring, &[volume(backend)], inbox, &lane).unwrap();
        let count = best(&COUNTER, || {
            let unfinished = Rc::new(Cell::new(ROUND));
            worker.adopt(Box::new(Some4k { unstarted: ROUND, unfinished: Rc::clone(&unfinished), place: 0 }));
            while unfinished.get() > 0 {
                worker.turn(true).unwrap();
            }
        });
        assert!(count <= OVERHEAD, "{count} allocations for {ROUND} operations");
    }
}

#[test]
fn no_request_to_a_warm_nbd_server_allocates() {
    static COUNTER: Counter = Counter::new();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let export = Export { name: "disk".into(), description: String::new(), volume: volume(on_disk()) };
    let listen = vec![Listen::Unix(socket.clone())];
    let (limits, workers, ring) = (Limits::default(), Some(1), Some(Kind::Uring));
    let server = Server::bind(Config { exports: vec![export], listen, tls: None, limits, workers, ring }).unwrap();
    server.workers().inboxes()[0].put(Errand::Do(Box::new(|_| COUNTER.watch_this_thread())));
    let handle = server.handle();
    let server = thread::spawn(move || server.run().unwrap());
    let mut counts = Vec::new();
    for (structured, command) in [(true, READ), (true, WRITE), (false, READ), (false, WRITE)] {
        let mut client = Client::connect(&socket, "disk", structured).unwrap();
        let payload = vec![1; if command == WRITE { BLOCK } else { 0 }];
        let mut places = (0..LEN / BLOCK as u64).cycle().step_by(7);
        let mut send = |client: &mut Client, cookie: u64| {
            client.send((command, 0), cookie, places.next().unwrap() * BLOCK as u64, BLOCK, &payload).unwrap();
        };
        let count = best(&COUNTER, || {
            (0..DEPTH).for_each(|cookie| send(&mut client, cookie.into()));
            for n in 0..ROUND {
                let (cookie, result) = client.reply().unwrap();
                result.unwrap();
                if n < ROUND - DEPTH as usize {
                    send(&mut client, cookie);
                }
            }
        });
        counts.push((structured, command, count));
    }
    handle.shutdown();
    server.join().unwrap();
    let worst = counts.iter().map(|(_, _, count)| *count).max().unwrap();
    assert!(worst <= OVERHEAD, "allocations for {ROUND} requests: (structured, command, count) = {counts:?}");
}
