//! The path of an operation through a worker and the volume's queue, from start to completion, at 1 and 16 in flight.

use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use datapath::disk::Command;
use datapath::volume::Volume;
use sear_benches::load::{Bench, Load};
use sear_benches::volume;

const LENGTHS: [usize; 3] = [4 << 10, 64 << 10, 256 << 10];
const DEPTHS: [usize; 2] = [1, 16];
const COMMANDS: [(&str, Command); 2] = [("read", Command::Read), ("write", Command::Write { fua: false })];

fn request(criterion: &mut Criterion) {
    measure(criterion, "request-memory", volume::over_memory().expect("a volume over memory"));
    let (tmpfs, _file) = volume::over_tmpfs().expect("a volume over a file in /dev/shm");
    measure(criterion, "request-tmpfs", tmpfs);
}

fn measure(criterion: &mut Criterion, name: &str, volume: Arc<Volume>) {
    let mut bench = Bench::new(volume).expect("a worker");
    let mut group = criterion.benchmark_group(name);
    for (verb, command) in COMMANDS {
        for len in LENGTHS {
            group.throughput(Throughput::Bytes(len as u64));
            for depth in DEPTHS {
                let load = Load { command, len, depth };
                group.bench_function(BenchmarkId::new(format!("{verb}-depth{depth}"), len), |bencher| {
                    bencher.iter_custom(|count| bench.run(load, count).expect("no operation fails"));
                });
            }
        }
    }
}

criterion_group!(benches, request);
criterion_main!(benches);
