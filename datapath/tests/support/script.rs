//! A backend that writes down what it is asked, and fails where a test says so.

use std::io;
use std::sync::{Arc, Mutex};

use datapath::backend::Backend;

/// What a backend is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Read,
    Write { sync: bool },
    Discard,
    Flush,
}

/// A call with its first byte and its length.
pub(crate) type Event = (Call, u64, u64);

type Fails = Box<dyn Fn(usize, Call) -> bool + Send + Sync>;

/// Passes calls on to a real backend.
pub(crate) struct Script<B> {
    inner: B,
    log: Arc<Mutex<Vec<Event>>>,
    fails: Fails,
}

impl<B: Backend> Script<B> {
    /// Fails the calls of which `fails` says so, given how many came before.
    pub(crate) fn new(inner: B, fails: impl Fn(usize, Call) -> bool + Send + Sync + 'static) -> Self {
        Self { inner, log: Arc::default(), fails: Box::new(fails) }
    }

    /// The calls, failed ones too, in order.
    pub(crate) fn log(&self) -> Arc<Mutex<Vec<Event>>> {
        Arc::clone(&self.log)
    }

    fn enter(&self, call: Call, offset: u64, len: u64) -> io::Result<()> {
        let mut log = self.log.lock().unwrap();
        log.push((call, offset, len));
        if (self.fails)(log.len() - 1, call) { Err(io::Error::other("injected failure")) } else { Ok(()) }
    }
}

impl<B: Backend> Backend for Script<B> {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.enter(Call::Read, offset, buf.len() as u64)?;
        self.inner.read(buf, offset)
    }

    fn write(&self, buf: &[u8], offset: u64, sync: bool) -> io::Result<()> {
        self.enter(Call::Write { sync }, offset, buf.len() as u64)?;
        self.inner.write(buf, offset, sync)
    }

    fn discard(&self, offset: u64, len: u64) -> io::Result<()> {
        self.enter(Call::Discard, offset, len)?;
        self.inner.discard(offset, len)
    }

    fn flush(&self) -> io::Result<()> {
        self.enter(Call::Flush, 0, 0)?;
        self.inner.flush()
    }
}
