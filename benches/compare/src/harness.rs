//! The race: contestants that do the same work, each for a few milliseconds in every round, in shuffled order.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use datapath::buf::Buf;

use crate::cores::Cores;
use sear_benches::shuffle::Shuffle;

/// The bytes that one thread works on, and as many beside them to write to.
pub(crate) struct Lane<'a> {
    /// Where the work happens, or the source of a copy.
    pub(crate) data: &'a mut [u8],
    /// The destination of a copy.
    pub(crate) out: &'a mut [u8],
}

/// One pass over a lane.
pub(crate) type Work = Box<dyn FnMut(&mut Lane<'_>) + Send>;

/// Someone who does a race's work, on as many threads as there are lanes.
pub(crate) struct Contestant {
    /// Its name, unique in its race.
    pub(crate) name: String,
    /// One pass of each thread over its share of the bytes.
    pub(crate) lanes: Vec<Work>,
    /// Whether its one lane runs on a thread of rayon's pool, as work does that is a part of something larger.
    pub(crate) pooled: bool,
}

/// What a race is to show: the subject's rate beside the rate of the best of some others.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    /// Whose rate is judged.
    pub(crate) subject: String,
    /// Beside whose; the one with the highest median counts.
    pub(crate) against: Vec<String>,
    /// The least ratio, when there is a target and not only something to see.
    pub(crate) at_least: Option<f64>,
}

/// Contestants over the same bytes.
pub(crate) struct Race {
    /// The section of the report.
    pub(crate) scenario: String,
    /// What sets it apart from the other races of its section.
    pub(crate) case: String,
    /// Bytes that one pass handles, over all lanes.
    pub(crate) bytes: usize,
    /// Who takes part.
    pub(crate) contestants: Vec<Contestant>,
    /// What is judged.
    pub(crate) goals: Vec<Goal>,
}

/// How long to race.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Rounds; each gives one rate per contestant.
    pub(crate) rounds: usize,
    /// Length of one contestant's turn. A pass that takes longer is run once.
    pub(crate) turn: Duration,
}

/// A race that was run.
pub(crate) struct Run {
    /// The race.
    pub(crate) race: Race,
    /// GB/s by contestant and round.
    pub(crate) rates: Vec<Vec<f64>>,
}

/// Runs all races: in every round every race in shuffled order, in it every contestant in shuffled order. They run on a
/// thread of their own, for it is kept on one core and its children would inherit that.
pub(crate) fn run(races: Vec<Race>, pace: Pace, cores: &Cores) -> Vec<Run> {
    thread::scope(|scope| {
        let rounds = scope.spawn(|| {
            cores.pin(0);
            all_rounds(races, pace, cores)
        });
        rounds.join().expect("a race does not panic")
    })
}

fn all_rounds(races: Vec<Race>, pace: Pace, cores: &Cores) -> Vec<Run> {
    let mut arena = Arena::new(races.iter().map(|race| race.bytes).max().unwrap_or(0));
    let mut shuffle = Shuffle::new();
    let mut runs: Vec<Run> = races.into_iter().map(Run::new).collect();
    let passes: Vec<Vec<u32>> = runs.iter_mut().map(|run| run.calibrate(&mut arena, pace, cores)).collect();
    for _ in 0..pace.rounds {
        for race in shuffle.order(runs.len()) {
            for contestant in shuffle.order(passes[race].len()) {
                runs[race].turn(contestant, passes[race][contestant], &mut arena, cores);
            }
        }
    }
    runs
}

impl Run {
    fn new(race: Race) -> Self {
        let rates = race.contestants.iter().map(|_| Vec::new()).collect();
        Self { race, rates }
    }

    /// The number of passes that fill a turn, by contestant; also warms everything up.
    fn calibrate(&mut self, arena: &mut Arena, pace: Pace, cores: &Cores) -> Vec<u32> {
        let bytes = self.race.bytes;
        let count = |contestant: &mut Contestant| {
            let mut passes = 1;
            loop {
                let took = contestant.time(passes, bytes, arena, cores);
                if took * 2 >= pace.turn {
                    return passes_in(pace.turn, passes, took);
                }
                passes *= 2;
            }
        };
        self.race.contestants.iter_mut().map(count).collect()
    }

    fn turn(&mut self, contestant: usize, passes: u32, arena: &mut Arena, cores: &Cores) {
        let took = self.race.contestants[contestant].time(passes, self.race.bytes, arena, cores);
        self.rates[contestant].push(gb_per_s(self.race.bytes, passes, took));
    }
}

impl Contestant {
    /// The time of `passes` passes over `bytes` bytes of the arena.
    fn time(&mut self, passes: u32, bytes: usize, arena: &mut Arena, cores: &Cores) -> Duration {
        let mut lanes = arena.lanes(bytes, self.lanes.len());
        if let ([work], [lane]) = (self.lanes.as_mut_slice(), lanes.as_mut_slice()) {
            let mut race = || passes_over(work, lane, passes).took();
            return if self.pooled { rayon::scope(|_| race()) } else { race() };
        }
        let start = Barrier::new(self.lanes.len());
        let spans: Vec<Span> = thread::scope(|scope| {
            let work = self.lanes.iter_mut().zip(lanes).enumerate();
            let threads: Vec<_> = work
                .map(|(core, (work, mut lane))| {
                    let start = &start;
                    scope.spawn(move || {
                        cores.pin(core);
                        start.wait();
                        passes_over(work, &mut lane, passes)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("a contestant does not panic")).collect()
        });
        Span::over(&spans).took()
    }
}

/// From when to when a thread worked.
#[derive(Clone, Copy)]
struct Span {
    from: Instant,
    to: Instant,
}

impl Span {
    /// From the first start to the last end.
    fn over(spans: &[Self]) -> Self {
        let later = |a: Self, b: Self| Self { from: a.from.min(b.from), to: a.to.max(b.to) };
        spans.iter().copied().reduce(later).expect("there is at least one lane")
    }

    fn took(self) -> Duration {
        self.to - self.from
    }
}

fn passes_over(work: &mut Work, lane: &mut Lane<'_>, passes: u32) -> Span {
    if passes > 1 {
        // Brings the bytes into the cache; work of a single pass is too large for it.
        work(lane);
    }
    let from = Instant::now();
    for _ in 0..passes {
        work(lane);
    }
    Span { from, to: Instant::now() }
}

/// How many passes fill `turn`, when `passes` took `took`; at least one.
fn passes_in(turn: Duration, passes: u32, took: Duration) -> u32 {
    let scaled = turn.as_nanos() * u128::from(passes) / took.as_nanos().max(1);
    u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
}

/// Lengths are far below 2^52, so the conversion is exact.
fn gb_per_s(bytes: usize, passes: u32, took: Duration) -> f64 {
    bytes as f64 * f64::from(passes) / took.as_secs_f64() / 1e9
}

/// The memory that all races share.
struct Arena {
    data: Buf,
    out: Buf,
}

impl Arena {
    /// Every byte is written, so that the kernel has given a page of its own to each.
    fn new(len: usize) -> Self {
        let filled = || {
            let mut buf = Buf::zeroed(len);
            buf.as_mut_slice().fill(0x5a);
            buf
        };
        Self { data: filled(), out: filled() }
    }

    fn lanes(&mut self, bytes: usize, count: usize) -> Vec<Lane<'_>> {
        let share = bytes / count;
        let data = self.data.as_mut_slice().chunks_exact_mut(share);
        let out = self.out.as_mut_slice().chunks_exact_mut(share);
        data.zip(out).map(|(data, out)| Lane { data, out }).take(count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_filled_with_whole_passes_and_has_at_least_one() {
        let ms = Duration::from_millis;
        assert_eq!(passes_in(ms(5), 10, ms(1)), 50);
        assert_eq!(passes_in(ms(5), 1, ms(400)), 1);
    }

    #[test]
    fn a_rate_is_in_decimal_gigabytes() {
        assert!((gb_per_s(500_000_000, 4, Duration::from_secs(1)) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn every_contestant_gets_one_rate_per_round_and_its_share_of_the_bytes() {
        let lane = |expected: usize| -> Work { Box::new(move |lane| assert_eq!(lane.data.len(), expected)) };
        let contestants = vec![
            Contestant { name: "one".into(), lanes: vec![lane(4096)], pooled: false },
            Contestant { name: "two".into(), lanes: vec![lane(2048), lane(2048)], pooled: false },
        ];
        let race = Race { scenario: String::new(), case: String::new(), bytes: 4096, contestants, goals: Vec::new() };
        let pace = Pace { rounds: 3, turn: Duration::from_micros(10) };
        let runs = run(vec![race], pace, &Cores::of_this_process());
        assert_eq!(runs[0].rates.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
    }
}
