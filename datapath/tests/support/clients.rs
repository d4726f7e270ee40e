//! Clients that do random things to a volume and keep its history: threads that block, and ports of workers.

use std::io;
use std::sync::Arc;
use std::thread;

use datapath::buf::Buf;
use datapath::disk::{BlockingDisk, IoError};
use datapath::ring::{Held, Kind};
use datapath::volume::{Finished, Job, Slow, Volume};
use datapath::worker::{Context, Errand, Port, Workers};

use super::history::{History, Random, Step, Verb};

/// The longest operation in sectors.
const LONGEST: usize = 12;

/// What every client of a test has in common.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) volume: Arc<Volume>,
    pub(crate) history: Arc<History>,
    pub(crate) seed: u64,
    /// Operations of each client.
    pub(crate) steps: usize,
}

impl Plan {
    /// Writes all of the disk, so that every sector has a beginning.
    pub(crate) fn prepare(&self) -> Result<(), IoError> {
        let step = self.history.begin_at(Verb::Write, 0..self.history.len(), true);
        self.run(&step)
    }

    /// `count` threads, until each has done its steps or has seen an error. How many errors there were.
    pub(crate) fn threads(&self, count: u64) -> usize {
        let client = |number: u64| {
            let mut random = Random::new(self.seed + number);
            (0..self.steps).find_map(|_| self.run(&self.history.begin(&mut random, LONGEST)).err())
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..count).map(|number| scope.spawn(move || client(number))).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).count()
        })
    }

    /// Two workers with two ports each, `depth` operations in flight at each port.
    pub(crate) fn ports(&self, kind: Kind, depth: usize) {
        let workers = Workers::start(2, kind, &[Arc::clone(&self.volume)]).unwrap();
        for number in 0..4 {
            let plan = self.clone();
            let seed = Random::new(self.seed + 100 + number as u64);
            let make = move || -> Box<dyn Port> { Box::new(Client::new(plan, seed, depth)) };
            workers.inboxes()[number % 2].put(Errand::Adopt(Box::new(make)));
        }
        // A port is over when its steps are done.
        workers.stop();
        workers.join().unwrap();
    }

    fn run(&self, step: &Step) -> Result<(), IoError> {
        let mut data = vec![0; if matches!(step.verb, Verb::Read | Verb::Write) { step.len } else { 0 }];
        let (volume, Step { offset, fua, .. }, len) = (&self.volume, *step, step.len as u64);
        match step.verb {
            Verb::Read => volume.read_at(&mut data, offset)?,
            Verb::Write => {
                self.history.fill(step, &mut data);
                volume.write_at(&data, offset, fua)?;
            }
            Verb::Zeroes => volume.write_zeroes(offset, len, fua)?,
            Verb::Trim => volume.trim(offset, len, fua)?,
            Verb::Flush => volume.flush()?,
        }
        self.history.end(step, &data);
        Ok(())
    }
}

/// A port that keeps a number of operations in flight.
struct Client {
    plan: Plan,
    random: Random,
    slots: Vec<Option<Step>>,
    /// Steps that have not begun.
    left: usize,
    /// Steps that wait for memory.
    waiting: Vec<u32>,
}

impl Client {
    fn new(plan: Plan, random: Random, depth: usize) -> Self {
        let left = plan.steps;
        Self { plan, random, slots: vec![None; depth], left, waiting: Vec::new() }
    }

    fn next(&mut self, slot: u32, cx: &mut Context<'_>) {
        if self.left > 0 {
            self.left -= 1;
            self.slots[slot as usize] = Some(self.plan.history.begin(&mut self.random, LONGEST));
            self.start(slot, cx);
        }
    }

    fn start(&mut self, slot: u32, cx: &mut Context<'_>) {
        let Some(step) = self.slots[slot as usize] else { return };
        let Step { offset, fua, .. } = step;
        let len = step.len as u64;
        let sector = cx.disk(0).volume().geometry().sector_size.bytes();
        let whole = offset.is_multiple_of(sector.into()) && len.is_multiple_of(sector.into());
        let first = offset - offset % u64::from(sector);
        let covering = usize::try_from((offset + len).next_multiple_of(sector.into()) - first).unwrap();
        let job = match step.verb {
            Verb::Flush => Job::Flush,
            Verb::Zeroes => Job::Slow(Slow::WriteZeroes { offset, len, fua }),
            Verb::Trim => Job::Slow(Slow::Trim { offset, len, fua }),
            Verb::Write if !whole => {
                let mut buf = Buf::zeroed(step.len);
                self.plan.history.fill(&step, buf.as_mut_slice());
                Job::Slow(Slow::Write { offset, buf, fua })
            }
            Verb::Read | Verb::Write => {
                let Some(mut chunk) = cx.ring.arena().take(covering) else {
                    self.waiting.push(slot);
                    return cx.starve();
                };
                if step.verb == Verb::Read {
                    Job::Read { offset: first, chunk }
                } else {
                    self.plan.history.fill(&step, &mut chunk);
                    cx.disk(0).seal(offset, &mut chunk);
                    Job::Write { offset, chunk, fua }
                }
            }
        };
        cx.start(0, job, slot);
    }
}

impl Port for Client {
    fn begin(&mut self, cx: &mut Context<'_>) {
        (0..u32::try_from(self.slots.len()).unwrap()).for_each(|slot| self.next(slot, cx));
    }

    fn on_ring(&mut self, _: u32, _: io::Result<u32>, _: Held, _: &mut Context<'_>) {}

    fn on_disk(&mut self, op: u32, finished: Finished, cx: &mut Context<'_>) {
        let step = self.slots[op as usize].take().unwrap();
        if finished.result.is_err() {
            // What comes next would only fail too.
            self.left = 0;
            return;
        }
        let sector = u64::from(cx.disk(0).volume().geometry().sector_size.bytes());
        let data = match (step.verb, &finished.payload) {
            (Verb::Read, Some(chunk)) => &chunk[usize::try_from(step.offset % sector).unwrap()..][..step.len],
            _ => &[],
        };
        self.plan.history.end(&step, data);
        drop(finished);
        self.next(op, cx);
    }

    fn settle(&mut self, cx: &mut Context<'_>) {
        std::mem::take(&mut self.waiting).into_iter().for_each(|slot| self.start(slot, cx));
    }

    fn stop(&mut self, _: &mut Context<'_>) {}

    fn is_over(&self) -> bool {
        self.left == 0 && self.slots.iter().all(Option::is_none)
    }
}
