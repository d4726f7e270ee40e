//! One job, set up for one secret after the other in the same memory.

use std::vec;

use datapath::buf::Buf;
use datapath::cipher::dispatch::Engine;
use datapath::cipher::{Cipher, Direction};
use keywrap::geometry::SectorSize;
use sear_tests::ctgrind::undefined;
use sear_tests::probe::{Job, Secret, Shape, Subject};

use super::leaks;

/// The tweak of every call.
const TWEAK: u64 = 0x0123_4567_89ab_cdef;

/// A secret that is none.
const PUBLIC: Secret = Secret { key: 9, data: 9 };

/// A job with its buffers, and a cipher under the secret of the moment.
pub(crate) struct Bench {
    job: Job,
    engine: Engine,
    cipher: Option<Cipher>,
    from: Buf,
    to: Buf,
    decoy: (Cipher, Buf),
    secrets: vec::IntoIter<Secret>,
}

impl Bench {
    /// Buffers for `job`; no secret is set up yet.
    pub(crate) fn new(job: Job, secrets: Vec<Secret>) -> Self {
        let (from, to) = (Buf::zeroed(job.len), Buf::zeroed(job.len));
        let engine = engine(job.subject);
        let decoy = (Cipher::new(&PUBLIC.volume_key(), engine), Buf::zeroed(512));
        Self { job, engine, cipher: None, from, to, decoy, secrets: secrets.into_iter() }
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
        let key = secret.volume_key();
        mark(key.expose_secret());
        self.cipher = Some(Cipher::new(&key, self.engine));
        drop(key);
        secret.write_data(self.from.as_mut_slice());
        mark(self.from.as_slice());
        self.forget();
    }

    /// Does the like with nothing secret. What the setting up has left in registers that nobody has to keep is then the
    /// same, whatever the secret was.
    fn forget(&mut self) {
        let (cipher, data) = (&self.decoy.0, self.decoy.1.as_mut_slice());
        PUBLIC.write_data(data);
        cipher.encrypt(data, SectorSize::B512, TWEAK);
    }
}

fn engine(subject: Subject) -> Engine {
    let Subject::Engine(name) = subject else { return Engine::portable() };
    let found = Engine::available().find(|engine| engine.name() == name);
    found.unwrap_or_else(|| panic!("this processor cannot run the engine {name}"))
}
