//! A rekey over two volumes with real headers, its power cut at every step: every transaction of the store, every write and
//! every sync of a header, every request to a key server. What was not synced is lost, torn or reordered by a seed.
//!
//! The table of the first seed is published in `docs/rekey-crashes.md`; `SEAR_WRITE_TABLE=1` writes it anew, and
//! `SEAR_CRASH_SEEDS` asks for more seeds than the one of every day.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use ekm_bridge::cluster::ClusterControl;
use ekm_bridge::rpc::control::{AsyncResults, Ledger, SoftwareEncryption};
use ekm_bridge::rpc::types::KeyProviderId;
use ekm_bridge::rpc::types::ledger::KeyState;
use keywrap::keys::KeyId;

use crate::rig::{
    SimHost, World, begin_rekey, create_volumes, current_faults, in_force, in_ledger, is_done, later, rekey,
};

const VOLUMES: usize = 2;

/// How many times each cut is tried, with other remains of what was not synced.
fn seeds() -> u64 {
    std::env::var("SEAR_CRASH_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// From whom to whom.
#[derive(Clone, Copy)]
struct Transition {
    name: &'static str,
    from: Option<KeyProviderId>,
    to: Option<KeyProviderId>,
}

const FIRST: Option<KeyProviderId> = Some(KeyProviderId(1));
const SECOND: Option<KeyProviderId> = Some(KeyProviderId(2));

const TRANSITIONS: [Transition; 5] = [
    Transition { name: "internal to external", from: None, to: FIRST },
    Transition { name: "external, the same provider", from: FIRST, to: FIRST },
    Transition { name: "external to another provider", from: FIRST, to: SECOND },
    Transition { name: "external to internal", from: FIRST, to: None },
    Transition { name: "internal to internal", from: None, to: None },
];

/// A cluster whose key is managed by `from`.
fn world(transition: Transition, seed: u64) -> World {
    let mut world = World::new();
    world.real = Some(SimHost::new(world.plug.clone(), seed));
    let plug = world.plug.clone();
    world.contact.count_steps(&plug);
    let (control, _) = world.with_provider();
    let second = world.add_provider(&control);
    world.add_server(&control, second, "second");
    create_volumes(&control, VOLUMES);
    if transition.from.is_some() {
        assert!(is_done(&rekey(&control, transition.from)));
    }
    world.plug.used();
    world.plug.names();
    world
}

fn act(world: &World, transition: Transition) {
    let control = world.boot();
    if begin_rekey(&control, transition.to).is_ok() {
        drop(control.drive_rekey());
    }
}

/// Every time that a key was revoked or destroyed on a server.
fn ended(world: &World) -> Vec<(&'static str, KeyId)> {
    ["vault", "second"].iter().flat_map(|server| world.contact.at(server).ended()).collect()
}

fn headers(world: &World, old: KeyId) -> String {
    let keys = world.real.as_ref().unwrap().keys();
    let count = |is: &dyn Fn(&[KeyId]) -> bool| keys.iter().filter(|keys| is(keys)).count();
    let on_old = count(&|keys| *keys == [old]);
    let on_both = count(&|keys| keys.len() > 1);
    format!("{on_old} old, {on_both} both, {} new", keys.len() - on_old - on_both)
}

/// What one cut came to, as a cell of the table.
fn check(world: &World, old: KeyId, cut: u64) -> String {
    let ended_before = ended(world);
    let after_cut = headers(world, old);
    let none_is_on_old = world.real.as_ref().unwrap().keys().iter().all(|keys| !keys.contains(&old));
    assert!(ended_before.is_empty() || none_is_on_old, "cut {cut}: the old key was ended early");

    let control = world.reboot();
    let handle = control.sear_info().unwrap().rekey;
    let new_first = in_force(&control);
    let real = world.real.as_ref().unwrap();
    // A key server that takes its time, on a busy machine, is asked again.
    for _ in 0..20 {
        if real.open_count() < VOLUMES {
            later(world, &control, Duration::from_secs(1));
        }
    }
    assert_eq!(
        real.open_count(),
        VOLUMES,
        "cut {cut}: every volume opens; {after_cut}; {:?}",
        current_faults(&control, "")
    );
    control.drive_rekey().unwrap();
    later(world, &control, Duration::from_secs(60));
    later(world, &control, Duration::from_secs(3600));

    let key = in_force(&control);
    assert!(real.keys().iter().all(|keys| *keys == [key]), "cut {cut}");
    check_keys(world, &control, key);
    let begun = handle.is_some_and(|handle| is_done(&control.async_result(handle, true).unwrap()) && key != old);
    assert_eq!(begun, key != old, "cut {cut}");
    if begun {
        assert_eq!(in_ledger(&control, old).state, KeyState::Destroyed, "cut {cut}");
    }
    let force = if new_first == old { "old" } else { "new" };
    let end = if begun { "new key, old one destroyed" } else { "old key, nothing begun" };
    format!("{force} key in force; headers: {after_cut} | {end}")
}

/// On the servers there is the key in force and nothing else; every other key was ended once.
fn check_keys(world: &World, control: &ClusterControl, key: KeyId) {
    let live: Vec<KeyId> = ["vault", "second"].iter().flat_map(|server| world.contact.at(server).keys()).collect();
    assert!(live.iter().all(|id| *id == key), "an orphan among {live:?}");
    let mut all = ended(world);
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "a key was ended twice: {all:?}");
    assert!(all.iter().all(|(_, id)| *id != key));
    let known = control.master_keys().unwrap();
    assert!(known.iter().all(|known| known.is_in_force || known.state == KeyState::Destroyed), "{known:?}");
}

#[test]
fn a_power_cut_at_any_step_of_any_transition_loses_no_volume_and_no_key_and_ends_none_early() {
    let mut table = String::from(HEAD);
    for transition in TRANSITIONS {
        let _ = writeln!(
            table,
            "\n## {}\n\n| cut at | what | found | comes to |\n|---|---|---|---|",
            title(transition.name)
        );
        let whole = world(transition, 0);
        act(&whole, transition);
        let names = whole.plug.names();
        assert!(names.len() > 20, "{names:?}");
        for (cut, name) in (0_u64..).zip(&names) {
            for seed in 0..seeds() {
                let world = world(transition, seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ cut);
                let old = in_force(&world.boot());
                world.plug.cut_after(cut);
                act(&world, transition);
                let cell = check(&world, old, cut);
                if seed == 0 {
                    let _ = writeln!(table, "| {cut} | {name} | {cell} |");
                }
            }
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rekey-crashes.md");
    if std::env::var_os("SEAR_WRITE_TABLE").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert!(published == table, "docs/rekey-crashes.md is not what happens; SEAR_WRITE_TABLE=1 writes it anew");
}

fn title(name: &str) -> String {
    name[..1].to_uppercase() + &name[1..]
}

const HEAD: &str = "# A rekey, cut at every step

Two volumes with real headers on a simulated medium, one key server for each of two providers. The power fails in the step
that is named; what was not synced by then is lost, torn or reordered. *Found* is the state at the next start, before
anything is done about it; *comes to* what the rekey ends as without anybody's help. In every line every volume opens at the
next start, no key is left on a server that the ledger does not know, and no key is ended before no header names it.

Written by `ekm-bridge/tests/cluster/crash_matrix.rs`, which fails when it no longer holds.
";
