//! One call of an engine, and everything that must hold after it.

use datapath::cipher::dispatch::Engine;
use datapath::cipher::{Buffers, Cipher, Direction};

use super::arena::Arena;
use super::truth::{Class, LONGEST, Truth, unit_len};

/// Where the result goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    InPlace,
    Copy,
}

/// Every direction with every place.
pub(crate) const WAYS: [(Direction, Place); 4] = [
    (Direction::Encrypt, Place::InPlace),
    (Direction::Encrypt, Place::Copy),
    (Direction::Decrypt, Place::InPlace),
    (Direction::Decrypt, Place::Copy),
];

/// Which of the cipher's methods.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Method {
    Plain,
    Bulk,
}

/// A part of a truth and how it is computed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) way: (Direction, Place),
    /// Alignments of the source and of the destination; in place, the second one counts.
    pub(crate) alignments: (usize, usize),
    /// The first unit and their number.
    pub(crate) start: usize,
    pub(crate) count: usize,
    pub(crate) method: Method,
}

impl Call {
    /// `count` units from `start` on, at the start of a cache line.
    pub(crate) fn new(way: (Direction, Place), start: usize, count: usize) -> Self {
        Self { way, alignments: (0, 0), start, count, method: Method::Plain }
    }
}

/// An engine under the key of a class, with memory to work on.
pub(crate) struct Probe {
    engine: Engine,
    cipher: Cipher,
    source: Arena,
    destination: Arena,
}

impl Probe {
    pub(crate) fn new(engine: Engine, class: &Class) -> Self {
        let cipher = Cipher::new(&class.key(), engine);
        Self { engine, cipher, source: Arena::new(LONGEST), destination: Arena::new(LONGEST) }
    }

    /// Makes the call and checks the result, the source, and what lies around both.
    pub(crate) fn check(&mut self, truth: &Truth, call: Call) {
        let len = unit_len(truth.unit);
        let range = call.start * len..(call.start + call.count) * len;
        let (plain, ciphertext) = (&truth.plain[range.clone()], &truth.ciphertext[range]);
        let (given, expected) = match call.way.0 {
            Direction::Encrypt => (plain, ciphertext),
            Direction::Decrypt => (ciphertext, plain),
        };
        self.make(truth, call, given);
        let wrong = |what: &str| {
            let (bytes, tweak) = (truth.unit.bytes(), truth.tweak(call.start));
            format!("{}: {what}: units of {bytes} bytes from tweak {tweak:#x}, {call:?}", self.engine)
        };
        assert!(*self.destination.buffer() == *expected, "{}", wrong("wrong bytes"));
        assert!(self.destination.guards_are_intact(), "{}", wrong("wrote beside the destination"));
        if let Place::Copy = call.way.1 {
            assert!(*self.source.buffer() == *given, "{}", wrong("changed the source"));
            assert!(self.source.guards_are_intact(), "{}", wrong("wrote beside the source"));
        }
    }

    fn make(&mut self, truth: &Truth, call: Call, given: &[u8]) {
        let ((direction, place), (from, to)) = (call.way, call.alignments);
        let buffers = match place {
            Place::InPlace => Buffers::InPlace(self.destination.put(to, given)),
            Place::Copy => {
                let to = self.destination.place(to, given.len());
                Buffers::Copy { from: self.source.put(from, given), to }
            }
        };
        let (cipher, unit, tweak) = (&self.cipher, truth.unit, truth.tweak(call.start));
        match (call.method, direction, buffers) {
            (Method::Bulk, direction, buffers) => cipher.bulk(direction, buffers, unit, tweak),
            (_, Direction::Encrypt, Buffers::InPlace(data)) => cipher.encrypt(data, unit, tweak),
            (_, Direction::Decrypt, Buffers::InPlace(data)) => cipher.decrypt(data, unit, tweak),
            (_, Direction::Encrypt, Buffers::Copy { from, to }) => cipher.encrypt_to(from, to, unit, tweak),
            (_, Direction::Decrypt, Buffers::Copy { from, to }) => cipher.decrypt_to(from, to, unit, tweak),
        }
    }
}
