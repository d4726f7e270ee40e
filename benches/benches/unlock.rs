//! What it costs to open a keyslot: Sear's own (the passphrase is a key already, so few iterations do) beside the
//! kind that protects a person's passphrase.

use criterion::{Criterion, criterion_group, criterion_main};
use keywrap::keys::{KeyId, MasterKey};
use keywrap::luks2::af::{Af, STRIPES};
use keywrap::luks2::hash::Hash;
use keywrap::luks2::kdf::{Argon2Variant, Cost, Kdf};
use keywrap::luks2::keyslot::Recipe;
use keywrap::secret::Secret;
use keywrap::volume::{self, CreateOptions};

const DEVICE_LEN: u64 = 64 << 20;

/// Sear's keyslots.
const SEAR: Cost = Cost::Pbkdf2 { hash: Hash::Sha256, iterations: 1000 };

/// cryptsetup 2.6 asks for up to 1 GiB and four lanes; this is a sixteenth of it, so that measuring ends.
const PASSPHRASE: Cost = Cost::Argon2 { variant: Argon2Variant::Id, time: 4, memory_kib: 64 << 10, cpus: 4 };

fn unlock(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("keyslot-unlock");
    group.sample_size(10);
    for (name, cost) in [("sear-pbkdf2-1000", SEAR), ("argon2id-64MiB", PASSPHRASE)] {
        let (recipe, area) = sealed(cost);
        group.bench_function(name, |bencher| {
            bencher.iter(|| recipe.open(&[7; 32], &area).expect("the keyslot opens"));
        });
    }
}

/// A keyslot that holds a 512-bit volume key, sealed under a cheap cost; opening costs the same with any area.
fn sealed(cost: Cost) -> (Recipe, Vec<u8>) {
    let kdf = Kdf { cost, salt: vec![9; 32] };
    let recipe = Recipe { kdf, af: Af { hash: Hash::Sha256, stripes: STRIPES }, area_key_len: 64, key_len: 64 };
    let area = vec![0x5a; recipe.sealed_len().expect("the split key has a length")];
    (recipe, area)
}

/// The whole way from a header on tmpfs to the volume key: both copies read and checked, MAC, keyslot, digest.
fn volume_unlock(criterion: &mut Criterion) {
    let device = tempfile::tempfile_in("/dev/shm").expect("a file in /dev/shm");
    device.set_len(DEVICE_LEN).expect("a sparse file");
    let (id, master) = (KeyId::random(), MasterKey(Secret::random().expect("the system has randomness")));
    volume::create(&device, DEVICE_LEN, &CreateOptions::default(), id, &master).expect("a volume");
    criterion.benchmark_group("volume-unlock").bench_function("master-key", |bencher| {
        bencher.iter(|| volume::unlock_with_master(&device, DEVICE_LEN, id, &master).expect("the volume opens"));
    });
}

criterion_group!(benches, unlock, volume_unlock);
criterion_main!(benches);
