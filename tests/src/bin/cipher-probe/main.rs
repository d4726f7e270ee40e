//! Calls a cipher once for each of several secrets, so that a test can watch it from outside.
//!
//! ```text
//! cipher-probe trace    SUBJECT DIRECTION UNIT PLACE LEN SECRET...   stops itself before and after every call
//! cipher-probe memcheck SUBJECT DIRECTION UNIT PLACE LEN SECRET...   tells valgrind that the secrets are undefined
//! ```

mod bench;
mod leaks;

use std::env;

use nix::sys::ptrace::traceme;
use nix::sys::signal::{Signal, raise};
use sear_tests::ctgrind::is_under_valgrind;
use sear_tests::probe::{Job, Secret};

use bench::Bench;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [mode, subject, direction, unit, place, len, secrets @ ..] = &words[..] else {
        panic!("too few arguments; see the documentation of this program");
    };
    let job = Job::parse([subject, direction, unit, place, len]).expect("five words make a job");
    let secrets = secrets.iter().map(|word| Secret::parse(word).expect("a secret is KEY:DATA")).collect();
    let bench = Bench::new(job, secrets);
    match *mode {
        "trace" => trace(bench),
        "memcheck" => memcheck(bench),
        other => panic!("{other:?} is neither trace nor memcheck"),
    }
}

/// Between its two stops the program does the same for every secret, down to the addresses: nothing here depends on
/// how many secrets there were before, and [`Bench`] keeps what it changes in memory.
fn trace(mut bench: Bench) {
    traceme().expect("the kernel lets a program be traced by its parent");
    bench.warm_up();
    while bench.next() {
        stop();
        bench.call();
        stop();
    }
}

fn memcheck(mut bench: Bench) {
    assert!(is_under_valgrind(), "this is not running under valgrind, which would report nothing");
    while bench.next_undefined() {
        bench.call();
    }
}

fn stop() {
    raise(Signal::SIGSTOP).expect("a program may stop itself");
}
