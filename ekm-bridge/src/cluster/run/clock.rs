//! The watch over the time of day: see [`crate::cluster::trusted_time`].

use crate::cluster::control::{ClusterControl, lock};
use crate::cluster::errors::of_record;
use crate::cluster::report::{FaultCode, new_fault};
use crate::cluster::trusted_time::{Doubt, Leap};
use crate::records::{ClockMark, Only, Severity};
use crate::rpc::control::Outcome;
use crate::rpc::types::Timestamp;
use crate::time::UnixSeconds;

const SUBJECT: &str = "clock";
/// Seconds between two marks.
const MARK: u64 = 3600;

impl ClusterControl {
    /// The time by which something may be destroyed because its time is over.
    pub(in crate::cluster) fn trusted_now(&self) -> UnixSeconds {
        lock(&self.trusted).now(self.clock.0.elapsed(), self.now())
    }

    /// Measures the time of day against what an earlier process has left.
    pub(super) fn begin_time(&self) -> Outcome<()> {
        let mark = self.records.table::<ClockMark>().get(Only).map_err(of_record)?;
        lock(&self.trusted).begin(self.clock.0.elapsed(), self.now(), mark.map(|mark| mark.seen));
        Ok(())
    }

    /// Tells people of leaps, and of what is not believed.
    pub(super) fn watch_clock(&self) -> Outcome<()> {
        self.trusted_now();
        let (news, doubt) = {
            let mut trusted = lock(&self.trusted);
            (trusted.take_news(), trusted.doubt())
        };
        if let Some(leap) = news {
            let words = told(leap);
            tracing::warn!("{words}");
            self.changed(&words)?;
        }
        match doubt.filter(|doubt| doubt.is_told) {
            Some(doubt) => self.raise(&new_fault(FaultCode::Clock, SUBJECT, Severity::Warning, doubted(doubt))),
            None => self.resolve(FaultCode::Clock, SUBJECT),
        }
    }

    /// Leaves a mark for the next process, about once an hour. It is the trusted time: a restart makes no leap true.
    pub(super) fn mark_time(&self) -> Outcome<()> {
        let seen = self.trusted_now();
        let known = self.records.table::<ClockMark>().get(Only).map_err(of_record)?;
        if known.is_some_and(|known| (known.seen.0..known.seen.0.saturating_add(MARK)).contains(&seen.0)) {
            return Ok(());
        }
        self.records.table().put(&ClockMark { seen }).map(drop).map_err(of_record)
    }
}

fn told(leap: Leap) -> String {
    match leap {
        Leap::Ahead(by) => format!("The time of day leapt ahead by {by} seconds."),
        Leap::Back(by) => format!("The time of day was set back by {by} seconds."),
    }
}

fn doubted(doubt: Doubt) -> String {
    format!(
        "The time of day leapt ahead by {} seconds. Until {} nothing is destroyed because of it: deleted volumes and old \
         master keys are kept as if it had not. If it is wrong, set it right before that.",
        doubt.lag,
        Timestamp(doubt.until)
    )
}
