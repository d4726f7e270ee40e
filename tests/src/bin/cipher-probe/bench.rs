//! One job, set up for one secret after the other in the same memory.

use std::vec;

use datapath::buf::Buf;
use datapath::cipher::dispatch::Engine;
use datapath::cipher::{Cipher, Direction};
use sear_tests::ctgrind::undefined;
use sear_tests::probe::{Job, Secret, Shape, Subject};

use super::leaks;

/// The tweak of every call.
const TWEAK: u64 = 0x0123_4567_89ab_cdef;

/// What is set up when there is no secret to keep.
const PUBLIC: Secret = Secret { key: 9, data: 9 };

/// A job with its buffers, and a cipher under the secret of the moment.
pub(crate) struct Bench {
    job: Job,
    engine: Engine,
    cipher: Option<Cipher>,
    from: Buf,
    to: Buf,
    decoy: Buf,
    secrets: vec::IntoIter<Secret>,
}

impl Bench {
    /// Buffers for `job`; no secret is set up yet.
    pub(crate) fn new(job: Job, secrets: Vec<Secret>) -> Self {
        let [from, to, decoy] = [0; 3].map(|_| Buf::zeroed(job.len));
        Self { job, engine: engine(job.subject), cipher: None, from, to, decoy, secrets: secrets.into_iter() }
    }

    /// One call that nobody watches, so that whatever is done once is done.
    pub(crate) fn warm_up(&mut self) {
        self.set_up(PUBLIC, |_| ());
        self.call();
    }

    /// Sets up the next secret; false when there is none left.
    #[inline(never)]
    pub(crate) fn next(&mut self) -> bool {
        let next = self.secrets.next();
        next.map(|secret| self.set_up(secret, |_| ())).is_some()
    }

    /// The same, and valgrind is told that every byte of the secret is undefined.
    pub(crate) fn next_undefined(&mut self) -> bool {
        let next = self.secrets.next();
        next.map(|secret| self.set_up(secret, undefined)).is_some()
    }

    /// The job.
    #[inline(never)]
    pub(crate) fn call(&mut self) {
        match self.job.subject {
            Subject::Engine(_) => self.cipher_call(),
            Subject::Nothing => {}
            Subject::BranchLeak => leaks::branch(self.from.as_slice()),
            Subject::TableLeak => leaks::table(self.from.as_slice()),
        }
    }

    fn cipher_call(&mut self) {
        let Some(cipher) = &self.cipher else { return };
        let (from, to) = (self.from.as_mut_slice(), self.to.as_mut_slice());
        match (self.job.direction, self.job.shape) {
            (Direction::Encrypt, Shape::InPlace(unit)) => cipher.encrypt(from, unit, TWEAK),
            (Direction::Decrypt, Shape::InPlace(unit)) => cipher.decrypt(from, unit, TWEAK),
            (Direction::Encrypt, Shape::Copied(unit)) => cipher.encrypt_to(from, to, unit, TWEAK),
            (Direction::Decrypt, Shape::Copied(unit)) => cipher.decrypt_to(from, to, unit, TWEAK),
            (direction, Shape::OneUnit) => cipher.unit(direction, from, TWEAK.into()).expect("XTS allows the length"),
        }
    }

    /// The old cipher goes before the new one comes, so that the allocator gives out the same memory again. Were it not
    /// so, a test would see different addresses and fail; it could not pass by mistake.
    fn set_up(&mut self, secret: Secret, mark: impl Fn(&[u8])) {
        self.cipher = None;
        self.cipher = Some(cipher(secret, self.engine, &mut self.from, mark));
        cipher(PUBLIC, self.engine, &mut self.decoy, |_| ());
    }
}

/// Writes the data and makes the cipher of a secret. Done last for a public one, this leaves the same in the registers
/// that nobody has to keep, whatever the secret before was.
#[inline(never)]
fn cipher(secret: Secret, engine: Engine, data: &mut Buf, mark: impl Fn(&[u8])) -> Cipher {
    let key = secret.volume_key();
    mark(key.expose_secret());
    let cipher = Cipher::new(&key, engine);
    secret.write_data(data.as_mut_slice());
    mark(data.as_slice());
    cipher
}

fn engine(subject: Subject) -> Engine {
    let Subject::Engine(name) = subject else { return Engine::portable() };
    let found = Engine::available().find(|engine| engine.name() == name);
    found.unwrap_or_else(|| panic!("this processor cannot run the engine {name}"))
}
