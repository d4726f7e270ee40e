//! `sear top`

use std::collections::HashMap;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use keywrap::geometry::ByteLen;
use serde::Serialize;
use uuid::Uuid;

use crate::control::{self, Answer, Question, Statistics};
use crate::error::Error;
use crate::state::StatePath;
use crate::ui::Ui;

/// Between two looks when only one table is wanted.
const SAMPLE: Duration = Duration::from_secs(1);

/// Arguments of the verb.
#[derive(Args, Debug)]
pub(crate) struct Top {
    /// Print one table, of one second, and end
    #[arg(long)]
    once: bool,
    /// Print the counters since each server's start, without waiting, and end
    #[arg(long, conflicts_with = "once")]
    totals: bool,
    /// Seconds between two tables
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = crate::parse::seconds)]
    interval: Duration,
}

/// What the servers of this node do.
#[derive(Serialize)]
struct Table {
    /// What the rates are about, in seconds; 0 for totals.
    seconds: f64,
    volumes: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    /// Per second, or since the start.
    reads: f64,
    read_bytes: f64,
    writes: f64,
    written_bytes: f64,
    flushes: f64,
    in_flight: u64,
    #[serde(flatten)]
    now: Statistics,
}

impl Top {
    /// Looks at the servers until it is interrupted, or once.
    pub(super) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        if state.daemon_lock().is_some() {
            tracing::warn!(
                "what the daemon's volumes do is in its metrics, and told by `sear api ListVolumeStats`; here are servers of \
                 their own"
            );
        }
        let run_dir = state.run_dir();
        let look = || look(&run_dir);
        if self.totals {
            return ui.answer(&Table::between(&HashMap::new(), look()?, Duration::ZERO));
        }
        let pause = if self.once { SAMPLE } else { self.interval.max(Duration::from_millis(100)) };
        let (mut before, mut at) = (by_volume(look()?), Instant::now());
        loop {
            thread::sleep(pause);
            let now = look()?;
            ui.answer(&Table::between(&before, now.clone(), at.elapsed()))?;
            if self.once {
                return Ok(());
            }
            (before, at) = (by_volume(now), Instant::now());
        }
    }
}

fn by_volume(all: Vec<Statistics>) -> HashMap<Uuid, Statistics> {
    all.into_iter().map(|statistics| (statistics.uuid, statistics)).collect()
}

/// What each server that answers has counted. One that has died meanwhile is left out.
fn look(run_dir: &std::path::Path) -> Result<Vec<Statistics>, Error> {
    if !run_dir.exists() {
        return Ok(Vec::new());
    }
    let sockets = control::running(run_dir).map_err(Error::io("read", run_dir))?;
    let answer = |socket: std::path::PathBuf| match control::ask(&socket, Question::Statistics) {
        Ok(Some(Answer::Statistics(statistics))) => Some(statistics),
        Ok(_) => None,
        Err(error) => {
            tracing::warn!(socket = %socket.display(), %error, "a server does not answer");
            None
        }
    };
    Ok(sockets.into_iter().filter_map(answer).collect())
}

impl Table {
    fn between(before: &HashMap<Uuid, Statistics>, now: Vec<Statistics>, time: Duration) -> Self {
        let seconds = time.as_secs_f64();
        let row = |now: Statistics| {
            let earlier = before.get(&now.uuid);
            let rate = |counter: &str| {
                let since = earlier.map_or(0, |earlier| earlier.total(counter));
                #[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
                let count = now.total(counter).saturating_sub(since) as f64;
                if seconds > 0.0 { count / seconds } else { count }
            };
            Row {
                reads: rate("reads"),
                read_bytes: rate("read_bytes"),
                writes: rate("writes"),
                written_bytes: rate("written_bytes"),
                flushes: rate("flushes"),
                in_flight: now.total("started").saturating_sub(now.total("ended")),
                now,
            }
        };
        Self { seconds, volumes: now.into_iter().map(row).collect() }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MB: f64 = 1e6;
        if self.volumes.is_empty() {
            return writeln!(f, "no volume is served");
        }
        let per = if self.seconds > 0.0 { "/s" } else { "" };
        writeln!(
            f,
            "{:<20} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10} {:>9} {:>7}",
            "VOLUME",
            "SIZE",
            format!("READS{per}"),
            format!("MB{per}"),
            format!("WRITES{per}"),
            format!("MB{per}"),
            format!("FLUSHES{per}"),
            "IN FLIGHT",
            "ERRORS"
        )?;
        self.volumes.iter().try_for_each(|row| {
            let state = if row.now.latched { "  LATCHED: changes are refused" } else { "" };
            writeln!(
                f,
                "{:<20} {:>10} {:>10.0} {:>10.1} {:>10.0} {:>10.1} {:>10.0} {:>9} {:>7}{state}",
                row.now.name.escape_debug().to_string(),
                ByteLen(row.now.size).to_string(),
                row.reads,
                row.read_bytes / MB,
                row.writes,
                row.written_bytes / MB,
                row.flushes,
                row.in_flight,
                row.now.total("errors"),
            )
        })
    }
}
