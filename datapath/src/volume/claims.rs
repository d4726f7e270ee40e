//! Which operations of a volume may run together: those that touch a sector in common do so one after the other, unless
//! both only read. So nobody sees half of another's write, and each sector ends as one writer left it.
//!
//! A claim is a few atomic operations on a table of counters, one for each granule of 4096 bytes modulo the table's
//! length; no lock is taken and nothing is allocated. Only an operation that must wait goes through a queue behind a
//! lock. Two granules that share a counter exclude each other needlessly now and then, never wrongly.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// A granule's length in bytes, as a shift: the largest sector there is.
const GRANULE_SHIFT: u32 = 12;
/// Counters in the table: a power of two, and beyond what one transfer covers. Every open volume has a table, so it is not
/// larger than it must be: 64 KiB.
const COUNTERS: usize = 1 << 14;
/// The value of a counter under an exclusive claim; others count shared claims.
const EXCLUSIVE: u32 = u32::MAX;

/// What an operation claims: a run of granules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    first: u64,
    granules: u64,
    exclusive: bool,
}

impl Claim {
    /// The granules that `len` bytes from byte `offset` of a volume touch.
    pub(crate) fn new(offset: u64, len: u64, exclusive: bool) -> Self {
        let first = offset >> GRANULE_SHIFT;
        let end = offset.saturating_add(len).div_ceil(1 << GRANULE_SHIFT);
        Self { first, granules: end.saturating_sub(first), exclusive }
    }

    fn conflicts(&self, other: &Self) -> bool {
        let overlap = self.first < other.first + other.granules && other.first < self.first + self.granules;
        (self.exclusive || other.exclusive) && overlap
    }

    /// The counters that stand for it, each once.
    fn counters(&self) -> impl DoubleEndedIterator<Item = usize> + use<> {
        #[expect(clippy::cast_possible_truncation, reason = "masked to the table, which is in memory")]
        let (first, count) = (self.first as usize % COUNTERS, self.granules.min(COUNTERS as u64) as usize);
        (first..first + count).map(|at| at % COUNTERS)
    }
}

/// Who is told when a claim that had to wait is granted, on whatever thread.
pub(crate) trait Granted: Send + Sync {
    /// The claim of the operation that the waiter called `tag` is held from now on.
    fn granted(&self, tag: u32);
}

/// A volume's claims.
pub(crate) struct Claims {
    counters: Box<[AtomicU32]>,
    /// How many wait: looked at without the lock. Changes under it.
    waiting: AtomicUsize,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    waiters: VecDeque<Waiter>,
    next: u64,
}

struct Waiter {
    number: u64,
    claim: Claim,
    tag: u32,
    who: Arc<dyn Granted>,
}

impl Default for Claims {
    fn default() -> Self {
        let counters = (0..COUNTERS).map(|_| AtomicU32::new(0)).collect();
        Self { counters, waiting: AtomicUsize::new(0), queue: Mutex::default() }
    }
}

impl Claims {
    /// Claims, if that is possible at once; otherwise `who` is told later, in order of arrival among those in conflict.
    #[must_use]
    pub(crate) fn claim(&self, claim: Claim, tag: u32, who: &Arc<dyn Granted>) -> bool {
        if self.waiting.load(Ordering::SeqCst) == 0 && self.attempt(&claim) {
            return true;
        }
        let mut queue = self.queue();
        let number = queue.next;
        queue.next += 1;
        // Announced before the attempt: whoever releases afterwards sees it and looks at the queue.
        self.waiting.fetch_add(1, Ordering::SeqCst);
        queue.waiters.push_back(Waiter { number, claim, tag, who: Arc::clone(who) });
        // Everybody in the queue is tried, not only this one: they may have failed because of an attempt elsewhere that
        // was taken back since. Whoever takes an attempt back comes here next, so nobody is left behind.
        let granted = self.grant(queue);
        let mut at_once = false;
        for waiter in granted {
            if waiter.number == number {
                at_once = true;
            } else {
                waiter.who.granted(waiter.tag);
            }
        }
        at_once
    }

    /// Claims, and waits for as long as it takes.
    pub(crate) fn claim_blocking(&self, claim: Claim) {
        if self.waiting.load(Ordering::SeqCst) == 0 && self.attempt(&claim) {
            return;
        }
        let signal = Arc::new(Signal::default());
        let who: Arc<dyn Granted> = Arc::<Signal>::clone(&signal);
        if !self.claim(claim, 0, &who) {
            signal.wait();
        }
    }

    /// Gives a claim back, and grants what waited for it.
    pub(crate) fn release(&self, claim: Claim) {
        for counter in claim.counters() {
            match claim.exclusive {
                true => self.counters[counter].store(0, Ordering::SeqCst),
                false => drop(self.counters[counter].fetch_sub(1, Ordering::SeqCst)),
            }
        }
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.grant(self.queue()).into_iter().for_each(|waiter| waiter.who.granted(waiter.tag));
        }
    }

    /// Takes out of the queue, and claims for them, all that can be granted without overtaking.
    fn grant(&self, mut queue: MutexGuard<'_, Queue>) -> Vec<Waiter> {
        let mut granted = Vec::new();
        let mut still: VecDeque<Waiter> = VecDeque::with_capacity(queue.waiters.len());
        for waiter in queue.waiters.drain(..) {
            let overtakes = still.iter().any(|earlier| earlier.claim.conflicts(&waiter.claim));
            if !overtakes && self.attempt(&waiter.claim) {
                self.waiting.fetch_sub(1, Ordering::SeqCst);
                granted.push(waiter);
            } else {
                still.push_back(waiter);
            }
        }
        queue.waiters = still;
        granted
    }

    /// All of it or nothing.
    fn attempt(&self, claim: &Claim) -> bool {
        for (taken, counter) in claim.counters().enumerate() {
            let counter = &self.counters[counter];
            let got = match claim.exclusive {
                true => counter.compare_exchange(0, EXCLUSIVE, Ordering::SeqCst, Ordering::SeqCst).is_ok(),
                false => {
                    let share = |held: u32| held.checked_add(1).filter(|held| *held < EXCLUSIVE);
                    counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, share).is_ok()
                }
            };
            if !got {
                self.undo(claim, taken);
                return false;
            }
        }
        true
    }

    /// Takes back the first `taken` counters of a claim that failed.
    fn undo(&self, claim: &Claim, taken: usize) {
        for counter in claim.counters().take(taken) {
            match claim.exclusive {
                true => self.counters[counter].store(0, Ordering::SeqCst),
                false => drop(self.counters[counter].fetch_sub(1, Ordering::SeqCst)),
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes a thread that waits for its claim.
#[derive(Default)]
struct Signal {
    granted: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    fn wait(&self) {
        let mut granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        while !*granted {
            granted = self.changed.wait(granted).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Granted for Signal {
    fn granted(&self, _: u32) {
        *self.granted.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    struct Tell(mpsc::Sender<u32>);

    impl Granted for Tell {
        fn granted(&self, tag: u32) {
            self.0.send(tag).unwrap();
        }
    }

    #[test]
    fn readers_share_writers_do_not_and_waiters_keep_their_order() {
        let (tell, told) = mpsc::channel();
        let (claims, who): (_, Arc<dyn Granted>) = (Claims::default(), Arc::new(Tell(tell)));
        let read = Claim::new(0, 8192, false);
        let (write, later) = (Claim::new(4096, 4096, true), Claim::new(5000, 1, false));
        assert!(claims.claim(read, 0, &who) && claims.claim(read, 1, &who));
        assert!(!claims.claim(write, 2, &who));
        assert!(!claims.claim(later, 3, &who), "a reader must not overtake the writer that waits");
        assert!(claims.claim(Claim::new(8192, 4096, true), 4, &who), "elsewhere nobody waits");
        claims.release(read);
        assert!(told.try_recv().is_err());
        claims.release(read);
        assert_eq!(told.try_recv(), Ok(2));
        assert!(told.try_recv().is_err());
        claims.release(write);
        assert_eq!(told.try_recv(), Ok(3));
    }

    #[test]
    fn a_range_longer_than_the_table_claims_all_of_it_once() {
        let claims = Claims::default();
        let all = Claim::new(0, u64::MAX, true);
        claims.claim_blocking(all);
        claims.release(all);
        claims.claim_blocking(Claim::new(0, 1 << 40, false));
    }

    /// A counter that is changed under an exclusive claim without any other protection must not lose a change.
    #[test]
    fn exclusive_claims_exclude() {
        const ROUNDS: u64 = 20_000;
        let claims = Claims::default();
        let cells: Vec<AtomicU32> = (0..8).map(|_| AtomicU32::new(0)).collect();
        thread::scope(|scope| {
            for seed in 1..=4_u64 {
                let (claims, cells) = (&claims, &cells);
                scope.spawn(move || {
                    let mut random = seed;
                    for _ in 0..ROUNDS {
                        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        let (first, count) = (random >> 40 & 3, 1 + (random >> 50 & 3));
                        let claim = Claim::new(first << 12, count << 12, true);
                        claims.claim_blocking(claim);
                        for cell in &cells[usize::try_from(first).unwrap()..][..usize::try_from(count).unwrap()] {
                            let value = cell.load(Ordering::Relaxed);
                            std::hint::spin_loop();
                            cell.store(value + 1, Ordering::Relaxed);
                        }
                        claims.release(claim);
                    }
                });
            }
        });
        let mut expected = [0_u32; 8];
        for seed in 1..=4_u64 {
            let mut random = seed;
            for _ in 0..ROUNDS {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let (first, count) = (random >> 40 & 3, 1 + (random >> 50 & 3));
                for cell in &mut expected[usize::try_from(first).unwrap()..][..usize::try_from(count).unwrap()] {
                    *cell += 1;
                }
            }
        }
        let found: Vec<u32> = cells.iter().map(|cell| cell.load(Ordering::Relaxed)).collect();
        assert_eq!(found, expected);
        assert_eq!(claims.waiting.load(Ordering::SeqCst), 0);
    }
}
