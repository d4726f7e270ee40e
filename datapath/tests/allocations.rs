//! The hot path allocates nothing: no call of any engine does, and none in bulk inside of a thread pool that is warm.
//! From outside of a pool rayon queues each call, and its queue allocates now and then.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/counting.rs"]
mod counting;

use counting::Counter;
use datapath::cipher::dispatch::Engine;
use datapath::cipher::{Buffers, Cipher, Direction};
use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;
use keywrap::secret::SecretBytes;
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
