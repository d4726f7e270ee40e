//! The path of a request through the volume, from submission to completion, at 1 and 16 operations in flight.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use datapath::disk::{Command, Disk};
use sear_benches::load::{self, Load};
use sear_benches::volume;

const LENGTHS: [usize; 3] = [4 << 10, 128 << 10, 1 << 20];
const DEPTHS: [usize; 2] = [1, 16];
const COMMANDS: [(&str, Command); 2] = [("read", Command::Read), ("write", Command::Write { fua: false })];

fn request(criterion: &mut Criterion) {
    let memory = volume::over_memory().expect("a disk over memory");
    measure(criterion, "request-memory", &memory);
    let (tmpfs, _file) = volume::over_tmpfs().expect("a disk over a file in /dev/shm");
    measure(criterion, "request-tmpfs", &tmpfs);
}

fn measure(criterion: &mut Criterion, name: &str, disk: &dyn Disk) {
    let mut group = criterion.benchmark_group(name);
    for (verb, command) in COMMANDS {
        for len in LENGTHS {
            group.throughput(Throughput::Bytes(len as u64));
            for depth in DEPTHS {
                let load = Load { command, len, depth };
                group.bench_function(BenchmarkId::new(format!("{verb}-depth{depth}"), len), |bencher| {
                    bencher.iter_custom(|count| load::run(disk, load, count).expect("no operation fails"));
                });
            }
        }
    }
}

criterion_group!(benches, request);
criterion_main!(benches);
