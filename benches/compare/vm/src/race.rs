//! Turns in a guest: everybody with every load, in shuffled order, in every round.

use std::error::Error;
use std::fmt::Write;
use std::fs;

use sear_benches::shuffle::Shuffle;
use sear_benches::stats::median;
use sear_tests::rig::{RunningVm, Vm};
use serde::Serialize;

const TURNS: &str = include_str!("../guest/turns.sh");
/// Of fio's terse output: KiB and operations per second of reads, of writes.
const READ: [usize; 2] = [5, 7];
const WRITE: [usize; 2] = [46, 48];

/// How long and how often.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Pace {
    /// Rounds.
    pub(crate) rounds: usize,
    /// Length of a turn.
    pub(crate) turn_ms: u32,
}

/// A load.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Load {
    /// For people.
    pub(crate) name: &'static str,
    rw: &'static str,
    block_kib: u32,
    depth: u32,
}

/// Everybody gets these.
pub(crate) const LOADS: [Load; 4] = [
    Load { name: "4 KiB random read, q32", rw: "randread", block_kib: 4, depth: 32 },
    Load { name: "4 KiB random write, q32", rw: "randwrite", block_kib: 4, depth: 32 },
    Load { name: "1 MiB read, q8", rw: "read", block_kib: 1024, depth: 8 },
    Load { name: "1 MiB write, q8", rw: "write", block_kib: 1024, depth: 8 },
];

/// Who is measured.
pub(crate) struct Racer {
    /// For people.
    pub(crate) name: &'static str,
    /// In the guest.
    pub(crate) device: &'static str,
    /// The server on the host, if it is there.
    pub(crate) server: Option<u32>,
}

/// What one turn showed.
#[derive(Clone, Copy, Debug, Serialize)]
struct Turn {
    racer: usize,
    load: usize,
    iops: f64,
    /// Of the server, per operation.
    cpu_us: Option<f64>,
}

/// What a section showed.
#[derive(Debug, Serialize)]
pub(crate) struct Section {
    /// For people.
    pub(crate) title: &'static str,
    /// In the order of their numbers.
    pub(crate) racers: Vec<&'static str>,
    turns: Vec<Vec<Turn>>,
}

/// Runs `setup` in the guest, then all turns. The first racer is ours.
///
/// # Errors
/// When a turn's output cannot be read.
pub(crate) fn run(
    title: &'static str,
    vm: Vm,
    setup: &str,
    racers: &[Racer],
    pace: &Pace,
) -> Result<Section, Box<dyn Error>> {
    let mut shuffle = Shuffle::new();
    let mut script = format!("{TURNS}\n{setup}\n");
    let mut order = Vec::new();
    for _ in 0..pace.rounds {
        for number in shuffle.order(racers.len() * LOADS.len()) {
            let (racer, load) = (number % racers.len(), number / racers.len());
            let Load { rw, block_kib, depth, .. } = LOADS[load];
            let (turn, device, ms) = (order.len(), racers[racer].device, pace.turn_ms);
            writeln!(script, "turn {turn} {device} {rw} {block_kib}k {depth} {ms}")?;
            order.push((racer, load));
        }
    }
    eprintln!("{title}: {} turns", order.len());
    let turns = u32::try_from(order.len())?;
    let mut running = vm.limit(300 + turns * (pace.turn_ms / 1000 + 10)).start(&script);
    let mut turns = Vec::new();
    for (number, (racer, load)) in order.into_iter().enumerate() {
        turns.push(turn(&mut running, number, racer, load, racers[racer].server)?);
        if turns.len() % (racers.len() * LOADS.len()) == 0 {
            eprintln!("  round {} of {}", turns.len() / (racers.len() * LOADS.len()), pace.rounds);
        }
    }
    let _output = running.wait().ok();
    let turns = turns.chunks(racers.len() * LOADS.len()).map(<[Turn]>::to_vec).collect();
    Ok(Section { title, racers: racers.iter().map(|racer| racer.name).collect(), turns })
}

fn turn(
    running: &mut RunningVm,
    number: usize,
    racer: usize,
    load: usize,
    server: Option<u32>,
) -> Result<Turn, Box<dyn Error>> {
    running.await_guest(&format!("begin.{number}"));
    let before = server.map(ticks).transpose()?;
    running.tell(&format!("go.{number}"));
    running.await_guest(&format!("end.{number}"));
    let after = server.map(ticks).transpose()?;
    let text = fs::read_to_string(running.share(&format!("fio.{number}")))?;
    let fields: Vec<&str> = text.split(';').collect();
    let [kib, iops] = if LOADS[load].rw.ends_with("read") { READ } else { WRITE };
    let field = |at: usize| fields.get(at).ok_or("fio's output is too short").map(|text| text.parse::<f64>());
    let (kib, iops) = (field(kib)??, field(iops)??);
    let operations = kib / f64::from(LOADS[load].block_kib);
    // A clock tick is 10 ms.
    let cpu_us = before.zip(after).map(|(before, after)| (after - before) * 10_000.0 / operations);
    Ok(Turn { racer, load, iops, cpu_us })
}

/// Clock ticks that a process has used.
fn ticks(pid: u32) -> Result<f64, Box<dyn Error>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |at: usize| fields.get(at).ok_or("/proc/PID/stat is too short").map(|text| text.parse::<f64>());
    Ok(field(11)?? + field(12)??)
}

impl Section {
    /// The median of a racer's operations per second with a load.
    pub(crate) fn iops(&self, racer: usize, load: usize) -> f64 {
        median(self.of(racer, load).map(|turn| turn.iops))
    }

    /// The median of the processor time per operation, in µs, where it is known.
    pub(crate) fn cpu_us(&self, racer: usize, load: usize) -> Option<f64> {
        let known: Option<Vec<f64>> = self.of(racer, load).map(|turn| turn.cpu_us).collect();
        known.map(|times| median(times.into_iter()))
    }

    /// The median of the ratios of each round, ours to theirs.
    pub(crate) fn ratio(&self, other: usize, load: usize) -> f64 {
        median(self.of(0, load).zip(self.of(other, load)).map(|(ours, theirs)| ours.iops / theirs.iops))
    }

    fn of(&self, racer: usize, load: usize) -> impl Iterator<Item = &Turn> {
        self.turns
            .iter()
            .flat_map(move |round| round.iter().filter(move |turn| turn.racer == racer && turn.load == load))
    }
}
