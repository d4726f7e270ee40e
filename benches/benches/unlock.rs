//! What it costs to open a keyslot: Sear's own (the passphrase is a key already, so few iterations do) beside the
//! defaults of cryptsetup for a person's passphrase.

use criterion::{Criterion, criterion_group, criterion_main};
use keywrap::luks2::af::{Af, STRIPES};
use keywrap::luks2::hash::Hash;
use keywrap::luks2::kdf::{Argon2Variant, Cost, Kdf};
use keywrap::luks2::keyslot::Recipe;

/// Sear's keyslots.
const SEAR: Cost = Cost::Pbkdf2 { hash: Hash::Sha256, iterations: 1000 };

/// What cryptsetup 2.6 chooses on a machine with memory enough: 1 GiB, four passes, four lanes.
const CRYPTSETUP: Cost = Cost::Argon2 { variant: Argon2Variant::Id, time: 4, memory_kib: 1 << 20, cpus: 4 };

fn unlock(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("keyslot-unlock");
    group.sample_size(10);
    for (name, cost) in [("sear-pbkdf2-1000", SEAR), ("cryptsetup-argon2id-1GiB", CRYPTSETUP)] {
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

criterion_group!(benches, unlock);
criterion_main!(benches);
