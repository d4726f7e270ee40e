//! `kill -9` at any moment of any call that changes something: after the next start the state is the old or the new one,
//! every volume opens and has its bytes, work that was begun is ended, and no key is at a key manager that the cluster
//! does not know.
//!
//! A round leads a fresh node through a whole life; in each call the daemon is killed once, at a moment that the seed
//! chooses, from before the call until a bit after its end. `SEAR_KILL_ROUNDS` asks for more than the two rounds of every
//! day, `SEAR_KILL_SEED` for other moments.

mod facts;
mod life;
mod world;

use std::collections::HashMap;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use sear_tests::rig::{Daemon, Local, Refused};
use serde_json::Value;

use facts::Facts;
use life::{LIFE, Step};
use world::World;

/// What is asked for when the environment does not say it.
const ROUNDS: u64 = 2;
const SEED: u64 = 1;

#[test]
fn a_daemon_that_is_killed_in_the_middle_of_a_call_has_done_it_or_not() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let (rounds, seed) = (number("SEAR_KILL_ROUNDS", ROUNDS), number("SEAR_KILL_SEED", SEED));
    let mut tally = Tally { random: seed, ..Tally::default() };
    for _ in 0..rounds {
        let Some(mut world) = World::or_skip() else { return };
        let mut daemon = world.node.start();
        for step in LIFE {
            daemon = tally.kill_within(&mut world, daemon, &step);
        }
        daemon.stop();
        world.node.start().stop();
    }
    let Tally { calls, unanswered, undone, .. } = tally;
    println!(
        "seed {seed}: {calls} calls; {unanswered} had no answer when the daemon was killed, {undone} had done nothing"
    );
    assert!(unanswered * 4 > calls, "most kills came too late: {unanswered} of {calls} calls had no answer yet");
}

/// What is learned on the way.
#[derive(Default)]
struct Tally {
    random: u64,
    /// How long each method takes, from the last time that it came to its end.
    usual: HashMap<&'static str, Duration>,
    calls: u32,
    unanswered: u32,
    undone: u32,
}

impl Tally {
    /// Kills the daemon in the middle of a call, starts it again, looks at everything, and sees to it that the call is
    /// done; the daemon that serves then.
    fn kill_within(&mut self, world: &mut World, daemon: Daemon, step: &Step) -> Daemon {
        let before = Facts::of(&daemon);
        let params = (step.params)(world, &daemon.local);
        let delay = self.delay(step);
        let (local, method) = (daemon.local.clone(), step.method);
        let sent = params.clone();
        let call = thread::spawn(move || complete(&local, method, &sent));
        thread::sleep(delay);
        daemon.kill();
        let outcome = call.join().expect("the caller does not panic");
        if let Ok(Err(refused)) = &outcome {
            panic!("{method} {params}: {refused:?}");
        }
        let words: String = params.to_string().chars().take(80).collect();
        let answer = outcome.as_ref().map_or_else(ToString::to_string, |_| "its result".to_owned());
        let what = format!("{method} {words} was killed after {delay:?} and answered {answer}");
        println!("{what}");

        let daemon = world.node.start();
        world.settle(&daemon, &what);
        let after = Facts::of(&daemon);
        self.calls += 1;
        self.unanswered += u32::from(outcome.is_err());
        if after == before && !before.become_(step, world, &after) {
            assert!(outcome.is_err(), "{what}, but nothing was done");
            self.undone += 1;
            let begun = Instant::now();
            let answer = complete(&daemon.local, method, &params).expect("the daemon lives");
            answer.unwrap_or_else(|refused| panic!("{what}; then it was refused: {refused:?}"));
            self.usual.insert(method, begun.elapsed());
        }
        let now = Facts::of(&daemon);
        assert!(before.become_(step, world, &now), "{what}\nbefore: {before:#?}\nafter: {now:#?}");
        world.check(&daemon, &what);
        daemon
    }

    /// From nothing to a bit more than the call takes.
    fn delay(&mut self, step: &Step) -> Duration {
        let usual = self.usual.get(step.method).copied().unwrap_or(Duration::from_millis(step.millis));
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.random;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let word = u32::try_from((word ^ (word >> 31)) >> 32).expect("half of it is left");
        usual.mul_f64(1.2 * f64::from(word) / f64::from(u32::MAX))
    }
}

/// Calls a method and, where its work goes on after the answer, waits for the end of that.
fn complete(local: &Local, method: &str, params: &Value) -> io::Result<Result<Value, Refused>> {
    let result = match local.call(method, params)? {
        Ok(result) => result,
        refused => return Ok(refused),
    };
    if let Some(handle) = result.get("asyncHandle") {
        let ask = serde_json::json!({"asyncHandle": handle, "keepResult": true});
        while local.call("GetAsyncResult", &ask)?.is_ok_and(|result| result["status"] == "running") {
            thread::sleep(Duration::from_millis(5));
        }
    }
    Ok(Ok(result))
}
