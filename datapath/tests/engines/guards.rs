//! Buffers between pages that nobody may touch: an engine reads and writes nothing beyond their ends.

use std::process::Command;

use datapath::cipher::dispatch::Engine;
use datapath::cipher::{Buffers, Cipher, Direction};

use super::guarded::{Guarded, touch_behind};
use super::probe::{Place, WAYS};
use super::short;
use super::truth::{AROUND, CLASSES, Class, Truth, key, pattern, unit_len};

/// Longest run: far enough for engines to fetch ahead.
const LONG: usize = 640 << 10;

/// Two buffers with closed pages on both sides.
struct Closed {
    source: Guarded,
    destination: Guarded,
}

/// At which of its ends a buffer touches a closed page.
type End = fn(&mut Guarded, usize) -> &mut [u8];

const ENDS: [End; 2] = [Guarded::at_start, Guarded::at_end];

/// Every count of units, in every way, with the closed page on either side.
pub(crate) fn runs(engine: Engine) {
    let mut closed = Closed { source: Guarded::new(LONG), destination: Guarded::new(LONG) };
    for class in CLASSES.iter() {
        let cipher = Cipher::new(&class.key(), engine);
        for (way, end) in WAYS.into_iter().flat_map(|way| ENDS.map(|end| (way, end))) {
            for count in (1..=AROUND).filter(|count| !short() || count % 5 < 2) {
                closed.run(&cipher, (&class.edges[1], count), way, end);
            }
            closed.run(&cipher, (&class.long, long(class)), way, end);
        }
    }
}

fn long(class: &Class) -> usize {
    LONG / unit_len(class.unit) - 1
}

impl Closed {
    fn run(&mut self, cipher: &Cipher, (truth, count): (&Truth, usize), way: (Direction, Place), end: End) {
        let len = count * unit_len(truth.unit);
        let (given, expected) = match way.0 {
            Direction::Encrypt => (&truth.plain[..len], &truth.ciphertext[..len]),
            Direction::Decrypt => (&truth.ciphertext[..len], &truth.plain[..len]),
        };
        let destination = end(&mut self.destination, len);
        let buffers = match way.1 {
            Place::InPlace => {
                destination.copy_from_slice(given);
                Buffers::InPlace(destination)
            }
            Place::Copy => {
                let source = end(&mut self.source, len);
                source.copy_from_slice(given);
                Buffers::Copy { from: source, to: destination }
            }
        };
        // Below the length at which `bulk` uses threads, and in pieces on them above, this is the engine's run.
        cipher.bulk(way.0, buffers, truth.unit, truth.first_tweak);
        assert!(*end(&mut self.destination, len) == *expected, "{way:?} of {count} units");
    }
}

/// Single data units of all lengths.
pub(crate) fn units(engine: Engine) {
    let mut closed = Guarded::new(8192);
    let cipher = Cipher::new(&key(&pattern(5, 64)), engine);
    for len in (16..=600).chain(1000..1100).chain(4090..4130) {
        let plain = pattern(len as u64, len);
        for end in ENDS {
            end(&mut closed, len).copy_from_slice(&plain);
            for direction in [Direction::Encrypt, Direction::Decrypt] {
                cipher.unit(direction, end(&mut closed, len), len as u128).unwrap();
            }
            assert!(*end(&mut closed, len) == *plain, "{len} bytes do not come back");
        }
    }
}

#[test]
#[ignore = "kills the process; a test below runs it"]
fn touches_the_guard() {
    println!("read {}", Guarded::new(1).touch_the_guard());
}

#[test]
#[ignore = "reads a byte that is not there; a test below runs it"]
fn touches_what_is_behind_an_allocation() {
    println!("read {}", touch_behind(&vec![1; 100].into_boxed_slice()));
}

#[test]
fn a_closed_page_kills_who_touches_it() {
    let (success, text) = run_alone("guards::touches_the_guard");
    assert!(!success && !text.contains("read"), "reading a closed page went well: {text}");
}

#[test]
#[ignore = "only where a sanitizer is built in: .ci/sanitize"]
fn a_byte_behind_an_allocation_is_caught_under_a_sanitizer() {
    let (success, text) = run_alone("guards::touches_what_is_behind_an_allocation");
    assert!(!success && text.contains("AddressSanitizer: heap-buffer-overflow"), "nothing was caught: {text}");
}

/// Runs an ignored test in a process of its own; whether it succeeded, and what it printed.
fn run_alone(test: &str) -> (bool, String) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args([test, "--exact", "--ignored", "--nocapture"]).output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(text.contains("running 1 test"), "{text}");
    (output.status.success(), text)
}
