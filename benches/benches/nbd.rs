//! The whole server: a client in the same process over a Unix socket, one connection, 1 and 16 requests in flight.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use datapath::disk::Command;
use sear_benches::load::Load;
use sear_benches::nbd::{Client, Served};
use sear_benches::volume;

const LENGTHS: [usize; 3] = [4 << 10, 128 << 10, 1 << 20];
const DEPTHS: [usize; 2] = [1, 16];
const COMMANDS: [(&str, Command); 2] = [("read", Command::Read), ("write", Command::Write { fua: false })];

fn nbd(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("nbd");
    let volume = volume::over_memory().expect("a volume over memory");
    let served = Served::start(volume, &socket).expect("a server");
    let mut client = Client::connect(&socket).expect("a connection");
    let mut group = criterion.benchmark_group("nbd-memory");
    for (verb, command) in COMMANDS {
        for len in LENGTHS {
            group.throughput(Throughput::Bytes(len as u64));
            for depth in DEPTHS {
                let load = Load { command, len, depth };
                group.bench_function(BenchmarkId::new(format!("{verb}-depth{depth}"), len), |bencher| {
                    bencher.iter_custom(|count| client.run(load, count).expect("no request fails"));
                });
            }
        }
    }
    group.finish();
    drop(client);
    served.stop().expect("an orderly end");
}

criterion_group!(benches, nbd);
criterion_main!(benches);
