//! AES-256-XTS by engine, direction, data unit and bytes per call, on one thread.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use datapath::cipher::Cipher;
use datapath::cipher::dispatch::Engine;
use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;

const CALLS: [usize; 4] = [512, 4096, 64 << 10, 1 << 20];

fn cipher(criterion: &mut Criterion) {
    let key = VolumeKey::random().expect("the system has randomness");
    for engine in Engine::available() {
        let cipher = Cipher::new(&key, engine);
        for unit in [SectorSize::B512, SectorSize::B4096] {
            let mut group = criterion.benchmark_group(format!("cipher-{engine}-unit{}", unit.bytes()));
            for len in CALLS.into_iter().filter(|len| len >> unit.shift() > 0) {
                let mut data = vec![0x5a; len];
                group.throughput(Throughput::Bytes(len as u64));
                group.bench_function(BenchmarkId::new("encrypt", len), |bencher| {
                    bencher.iter(|| cipher.encrypt(&mut data, unit, 1 << 20));
                });
                group.bench_function(BenchmarkId::new("decrypt", len), |bencher| {
                    bencher.iter(|| cipher.decrypt(&mut data, unit, 1 << 20));
                });
            }
        }
    }
}

criterion_group!(benches, cipher);
criterion_main!(benches);
