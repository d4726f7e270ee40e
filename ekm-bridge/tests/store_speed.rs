//! How many transactions a second the stores take, and how long a registry of a thousand volumes takes to read. Prints
//! figures; run it by hand, optimised:
//! `cargo test --release -p ekm-bridge --test store_speed -- --ignored --nocapture --test-threads=1`
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ekm_bridge::records::{Access, Qos, Records, Volume, VolumeStatus};
use ekm_bridge::store::replicated::{DirectoryDrive, Drive, FileWitness};
use ekm_bridge::store::{EmbeddedStore, ExclusiveStore, Snapshot, Transaction};
use ekm_bridge::{ReplicatedStore, StateDir, Store, UnixSeconds};
use uuid::Uuid;

const VOLUMES: usize = 1000;
const ROUNDS: usize = 6;
const ROUND: Duration = Duration::from_millis(400);

fn private_dir(path: &Path) -> StateDir {
    StateDir::open(path).unwrap()
}

fn embedded(path: &Path) -> EmbeddedStore {
    let dir = private_dir(path);
    EmbeddedStore::create(&dir, &dir.lock().unwrap()).unwrap();
    EmbeddedStore::open(&dir).unwrap()
}

fn exclusive(path: &Path) -> ExclusiveStore {
    embedded(path);
    ExclusiveStore::open(&private_dir(path)).unwrap()
}

fn replicated(path: &Path, drives: usize) -> ReplicatedStore {
    let drive = |number: usize| -> Box<dyn Drive> {
        let dir = private_dir(&path.join(format!("drive{number}")));
        Box::new(DirectoryDrive::new(dir.path()))
    };
    let witness = FileWitness::new(&path.join("witness.json"));
    let store = ReplicatedStore::create(drive(0), Box::new(witness), &Snapshot::default()).unwrap();
    for number in 1..drives {
        store.add_drive(drive(number)).unwrap();
    }
    store
}

/// How often a second `act` can be done: the best of several rounds, because other work on the machine only slows.
fn rate(mut act: impl FnMut(usize)) -> f64 {
    let mut best = 0.0_f64;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let mut count = 0;
        while begin.elapsed() < ROUND {
            act(count);
            count += 1;
        }
        best = best.max(count as f64 / begin.elapsed().as_secs_f64());
    }
    best
}

fn fill(records: &Records) {
    for number in 0..VOLUMES {
        let volume = |id| Volume {
            id,
            uuid: Uuid::from_u128(number as u128),
            name: format!("volume {number}"),
            account: number as u64 % 10,
            size: 1 << 30,
            status: VolumeStatus::Active,
            created: UnixSeconds(1),
            access: Access::ReadWrite,
            qos: Qos { min_iops: 50, max_iops: 15_000, burst_iops: 15_000, burst_seconds: 60, curve: [].into() },
            attributes: serde_json::Map::new(),
            enable_512e: false,
            path: Some(format!("/var/lib/volumes/{number}").into()),
            site: None,
        };
        records.table().insert(volume).unwrap();
    }
}

fn commit(store: &dyn Store, n: usize) {
    store.commit(&Transaction::new().put("key", n.to_le_bytes().to_vec())).unwrap();
}

fn measure(name: &str, store: Arc<dyn Store>) {
    let commits = rate(|n| commit(store.as_ref(), n));
    let records = Records::new(store.clone());
    fill(&records);
    let full = rate(|n| commit(store.as_ref(), n));
    let volumes = records.table::<Volume>();
    let get = rate(|n| drop(volumes.get(ekm_bridge::records::VolumeId((n % VOLUMES) as u64 + 1)).unwrap().unwrap()));
    let find = rate(|n| {
        let uuid = Uuid::from_u128((n % VOLUMES) as u128).to_string();
        assert_eq!(volumes.find("uuid", &uuid).unwrap().len(), 1);
    });
    let list = rate(|_| assert_eq!(volumes.list().unwrap().len(), VOLUMES));
    println!(
        "{name}: {commits:.0} transactions/s empty, {full:.0} with {VOLUMES} volumes; {get:.0} lookups/s by id, \
         {find:.0} by UUID; a list in {:.1} ms",
        1000.0 / list
    );
}

#[test]
#[ignore = "a measurement"]
fn transactions_and_lookups_per_second() {
    let temp = match std::env::var_os("SEAR_SPEED_DIR") {
        Some(dir) => tempfile::tempdir_in(dir).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    measure("opened for each", Arc::new(embedded(&temp.path().join("embedded"))));
    measure("kept open", Arc::new(exclusive(&temp.path().join("exclusive"))));
    for drives in [1, 2, 3] {
        let path = temp.path().join(format!("replicated{drives}"));
        fs::create_dir(&path).unwrap();
        measure(&format!("{drives} drives"), Arc::new(replicated(&path, drives)));
    }
}
