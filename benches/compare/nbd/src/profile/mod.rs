//! Where `sear up` spends its time: samples by `perf(1)`, drawn as flame graphs.

mod flame;
mod fold;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::process::Pid;
use sear_benches::awake::Awake;

use crate::contestant::{Contestant, Running, Start, Transport};
use crate::fio::{self, Load, Pattern};
use crate::host::process::output;
use crate::host::scratch::Scratch;
use crate::run::Setup;

/// Samples per second: a prime, so that they do not keep step with a timer.
const FREQUENCY: &str = "997";
/// How long the load runs before sampling begins, and goes on after it has ended.
const MARGIN: Duration = Duration::from_millis(500);

/// What is profiled: the file's name, the title, and the load.
const LOADS: [(&str, &str, Load); 4] = [
    ("read", "4 KiB random read, 32 in flight", load(Pattern::RandRead, 4 << 10, 32)),
    ("write", "4 KiB random write, 32 in flight", load(Pattern::RandWrite, 4 << 10, 32)),
    ("read-1m", "1 MiB read, 8 in flight", load(Pattern::Read, 1 << 20, 8)),
    ("write-1m", "1 MiB write, 8 in flight", load(Pattern::Write, 1 << 20, 8)),
];

const fn load(pattern: Pattern, block: u64, depth: u32) -> Load {
    Load { pattern, block, depth, connections: 1 }
}

/// Records each of the loads, and writes a drawing and the folded stacks of each into `folder`.
///
/// # Errors
/// When Sear does not start, when `perf` or `fio` is missing or fails, or when the folder cannot be written.
pub(crate) fn record(setup: &Setup<'_>, folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let _awake = Awake::ask();
    let scratch = Scratch::new(setup.memory, setup.image_len)?;
    let start = Start {
        scratch: &scratch,
        cores: setup.sides.server,
        transport: Transport::Unix,
        direct: false,
        ours: &setup.ours,
        tag: "profiled".into(),
    };
    let running = Contestant::Sear.start(&start)?;
    fio::fill(&running.target, setup.sides.load)?;
    for (name, title, load) in LOADS {
        let stacks = fold::stacks(&sample(&running, load, setup, &scratch)?);
        if stacks.is_empty() {
            return Err("perf took no sample of the server".into());
        }
        fs::write(folder.join(format!("{name}.folded")), fold::text(&stacks))?;
        let title = format!("sear up, {title}");
        fs::write(folder.join(format!("{name}.svg")), flame::draw(&stacks, &title))?;
        println!("## {title}\n\nBy the function on top of the stack:\n\n{}", fold::tops(&stacks, 25));
    }
    println!("flame graphs and folded stacks are in {}", folder.display());
    Ok(())
}

/// What `perf script` prints of the samples taken under `load`.
fn sample(running: &Running, load: Load, setup: &Setup<'_>, scratch: &Scratch) -> Result<String, Box<dyn Error>> {
    let data = scratch.path("perf.data");
    let pids: Vec<String> = running.pids().iter().map(|pid: &Pid| pid.as_raw_nonzero().to_string()).collect();
    let seconds = setup.pace.turn.as_secs_f64().to_string();
    // Frames are found by debug information: release builds keep no frame pointers. Virtual machines often have no
    // hardware counters, and the processor's clock serves as well.
    let mut perf = Command::new("perf");
    perf.args([
        "record",
        "--event=cpu-clock",
        "--freq",
        FREQUENCY,
        "--call-graph=dwarf,8192",
        "--pid",
        &pids.join(","),
    ]);
    perf.arg("--output").arg(&data).args(["--", "sleep", &seconds]);
    thread::scope(|scope| {
        let time = setup.pace.turn + 2 * MARGIN;
        let loader = scope.spawn(move || {
            fio::run(&running.target, load, time, setup.sides.load).map(|_| ()).map_err(|error| error.to_string())
        });
        thread::sleep(MARGIN);
        let recorded = output(&mut perf).map(|_| ());
        loader.join().map_err(|_| "the load panicked")??;
        recorded
    })?;
    output(Command::new("perf").args(["script", "--no-inline", "--fields=comm,ip,sym", "--input"]).arg(&data))
}
