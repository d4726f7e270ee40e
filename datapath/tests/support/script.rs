//! A backend that writes down what it is asked, and fails where a test says so.

use std::io;
use std::sync::{Arc, Mutex};

use datapath::disk::{Done, Outcome};
use datapath::old::backend::{Backend, Op, OpKind};

/// What happened at the backend, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Started(OpKind, u64, u64),
    Ended(OpKind, u64, u64),
}

type Fails = Box<dyn Fn(usize, &Op) -> bool + Send + Sync>;

/// Passes operations on to a real backend.
pub(crate) struct Script<B> {
    inner: B,
    log: Arc<Mutex<Vec<Event>>>,
    fails: Fails,
    count: Mutex<usize>,
}

impl<B: Backend> Script<B> {
    /// Fails the operations of which `fails` says so, given how many came before.
    pub(crate) fn new(inner: B, fails: impl Fn(usize, &Op) -> bool + Send + Sync + 'static) -> Self {
        Self { inner, log: Arc::default(), fails: Box::new(fails), count: Mutex::new(0) }
    }

    pub(crate) fn log(&self) -> Arc<Mutex<Vec<Event>>> {
        Arc::clone(&self.log)
    }
}

impl<B: Backend> Backend for Script<B> {
    fn len(&self) -> u64 {
        self.inner.len()
    }

    fn submit(&self, op: Op, done: Done) {
        let (kind, offset, len) = (op.kind, op.offset, op.len);
        let n = {
            let mut count = self.count.lock().unwrap();
            *count += 1;
            *count - 1
        };
        if (self.fails)(n, &op) {
            let error = io::Error::other("injected failure");
            return done(Outcome { buf: op.buf, result: Err(error.into()) });
        }
        self.log.lock().unwrap().push(Event::Started(kind, offset, len));
        let log = Arc::clone(&self.log);
        self.inner.submit(
            op,
            Box::new(move |outcome| {
                log.lock().unwrap().push(Event::Ended(kind, offset, len));
                done(outcome);
            }),
        );
    }
}
