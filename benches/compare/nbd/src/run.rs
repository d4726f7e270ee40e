//! A section's run: everybody is started once and shown to keep data, then measured in shuffled turns.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::process::Pid;
use sear_benches::shuffle::Shuffle;
use serde::Serialize;

use crate::contestant::{Contestant, Ours, Running, Start};
use crate::fio::{self, Tally};
use crate::host::cores::Sides;
use crate::host::scratch::{Image, Scratch};
use crate::host::{cpu_time, page_cache};
use crate::section::{Case, Place, Section};

/// Bytes that the check of a contestant writes and reads back.
const VERIFIED: u64 = 32 << 20;
/// Between two looks at a server under load.
const GLANCE: Duration = Duration::from_millis(50);

/// How often and how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Rounds; in each, everybody has one turn with every load.
    pub(crate) rounds: usize,
    /// Length of a turn.
    pub(crate) turn: Duration,
}

/// What all sections share.
pub(crate) struct Setup<'a> {
    /// The processors.
    pub(crate) sides: Sides,
    /// Sear's programs.
    pub(crate) ours: Ours,
    /// Where images in memory are.
    pub(crate) memory: &'a Path,
    /// Where images on a disk are.
    pub(crate) disk: &'a Path,
    /// Bytes that an image offers.
    pub(crate) image_len: u64,
    /// How often and how long.
    pub(crate) pace: Pace,
}

/// One contestant's turn with one load.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Turn {
    /// What the load saw.
    pub(crate) tally: Tally,
    /// Seconds of processor time that the server used; not a number where there is no server.
    pub(crate) cpu_s: f64,
}

/// A contestant's turns, by case and round.
pub(crate) struct Row {
    /// Who.
    pub(crate) contestant: Contestant,
    /// Whether it had its image open past the page cache, if it had it open.
    pub(crate) direct: Option<bool>,
    /// By case, then by round.
    pub(crate) turns: Vec<Vec<Turn>>,
}

/// A section after its run.
pub(crate) struct Ran {
    /// What was run.
    pub(crate) section: Section,
    /// By contestant; those that failed are not among them.
    pub(crate) rows: Vec<Row>,
    /// Who is missing, and why.
    pub(crate) skipped: Vec<String>,
}

/// Runs a section.
///
/// # Errors
/// When there is no place for the images, or the system does not tell processor times. A contestant that cannot start or
/// fails is no error; it is named in [`Ran::skipped`].
pub(crate) fn run(section: Section, setup: &Setup<'_>, shuffle: &mut Shuffle) -> Result<Ran, Box<dyn Error>> {
    eprintln!("{}", section.title);
    let parent = if section.place == Place::Memory { setup.memory } else { setup.disk };
    let scratch = Scratch::new(parent, setup.image_len)?;
    let mut field = Field { section: &section, setup, scratch: &scratch, lanes: Vec::new(), skipped: Vec::new() };
    field.gather();
    for round in 1..=setup.pace.rounds {
        eprintln!("  round {round} of {}", setup.pace.rounds);
        field.round(shuffle)?;
    }
    let Field { lanes, skipped, .. } = field;
    // The servers end here, before their folder goes.
    let rows = lanes.into_iter().map(|lane| lane.row).collect();
    Ok(Ran { rows, skipped, section })
}

struct Field<'a> {
    section: &'a Section,
    setup: &'a Setup<'a>,
    scratch: &'a Scratch,
    lanes: Vec<Lane>,
    skipped: Vec<String>,
}

struct Lane {
    row: Row,
    running: Running,
    image: Option<PathBuf>,
}

impl Field<'_> {
    /// Starts everybody. Who cannot start, or does not give back what was written, does not take part.
    fn gather(&mut self) {
        for (number, contestant) in self.section.contestants.iter().copied().enumerate() {
            match self.enter(contestant, number) {
                Ok(lane) => self.lanes.push(lane),
                Err(error) => self.skip(contestant, "", &*error),
            }
        }
    }

    fn skip(&mut self, contestant: Contestant, when: &str, error: &dyn Error) {
        let note = format!("{}{when}: {error}", contestant.name());
        eprintln!("  without {note}");
        self.skipped.push(note);
    }

    fn enter(&self, contestant: Contestant, number: usize) -> Result<Lane, Box<dyn Error>> {
        let sides = &self.setup.sides;
        let start = Start {
            scratch: self.scratch,
            cores: if self.section.all_cores { sides.all } else { sides.server },
            transport: self.section.transport,
            direct: self.section.place == Place::Disk,
            ours: &self.setup.ours,
            tag: format!("server-{number}"),
        };
        let running = contestant.start(&start)?;
        if contestant.image() == Some(Image::Sear) {
            // Sear makes its volume sparse, and a hole costs less to read than data.
            fio::fill(&running.target, sides.load)?;
        }
        if contestant.image().is_some() {
            let len = VERIFIED.min(self.setup.image_len);
            fio::verify(&running.target, len, sides.load).map_err(|error| format!("verification: {error}"))?;
        }
        let image = contestant.image().map(|image| self.scratch.image(image));
        let turns = vec![Vec::new(); self.section.cases.len()];
        Ok(Lane { row: Row { contestant, direct: None, turns }, running, image })
    }

    /// Every load once, in shuffled order, and with it everybody once, in shuffled order.
    fn round(&mut self, shuffle: &mut Shuffle) -> Result<(), Box<dyn Error>> {
        for number in shuffle.order(self.section.cases.len()) {
            let case = &self.section.cases[number];
            let mut failed = Vec::new();
            for place in shuffle.order(self.lanes.len()) {
                let lane = &mut self.lanes[place];
                match self.setup.turn(lane, case, self.section) {
                    Ok(turn) => lane.row.turns[number].push(turn),
                    Err(error) => failed.push((lane.row.contestant, error)),
                }
            }
            for (contestant, error) in failed {
                self.lanes.retain(|lane| lane.row.contestant != contestant);
                self.skip(contestant, &format!(", failed with {}", case.name), &*error);
            }
        }
        Ok(())
    }
}

impl Setup<'_> {
    fn turn(&self, lane: &mut Lane, case: &Case, section: &Section) -> Result<Turn, Box<dyn Error>> {
        let pids = lane.running.pids();
        let cores = if section.all_cores { self.sides.all } else { self.sides.load };
        let load = || fio::run(&lane.running.target, case.load, self.pace.turn, cores);
        let before = cpu_time::of(&pids)?;
        let tally = match &lane.image {
            Some(image) if section.place == Place::Disk => {
                page_cache::settle(image)?;
                let tally = if lane.row.direct.is_none() && !pids.is_empty() {
                    let (tally, direct) = Self::watch(image, &pids, load)?;
                    lane.row.direct = direct;
                    tally
                } else {
                    load()?
                };
                page_cache::settle(image)?;
                tally
            }
            _ => load()?,
        };
        let spent = cpu_time::of(&pids)?.saturating_sub(before).as_secs_f64();
        Ok(Turn { tally, cpu_s: if pids.is_empty() { f64::NAN } else { spent } })
    }

    /// Runs a load, and looks meanwhile how the server has opened the image: some open it only while a client is
    /// connected.
    fn watch(
        image: &Path,
        pids: &[Pid],
        load: impl Fn() -> Result<Tally, Box<dyn Error>> + Sync,
    ) -> Result<(Tally, Option<bool>), Box<dyn Error>> {
        thread::scope(|scope| {
            let loader = scope.spawn(|| load().map_err(|error| error.to_string()));
            let mut direct = None;
            while direct.is_none() && !loader.is_finished() {
                thread::sleep(GLANCE);
                direct = page_cache::is_direct(&cpu_time::family(pids)?, image);
            }
            let tally = loader.join().map_err(|_| "the load panicked")??;
            Ok((tally, direct))
        })
    }
}
