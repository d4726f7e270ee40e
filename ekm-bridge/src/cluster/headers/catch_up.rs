//! Headers that an earlier rekey left behind: they follow as soon as they can be had.

use std::time::Duration;

use keywrap::keys::KeyId;
use uuid::Uuid;

use super::Read;
use crate::cluster::control::{ClusterControl, lock, read};
use crate::cluster::errors::of_record;
use crate::cluster::rekey::{SUBJECT, is_silence, out_of_reach, remainder};
use crate::cluster::report::FaultCode;
use crate::records::{Header, Only, Rekey};
use crate::rpc::control::Outcome;

/// The pause after a round that left something behind; it doubles up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(300);

/// When to try again.
#[derive(Clone, Copy, Default)]
pub(in crate::cluster) struct CatchUp {
    next: Duration,
    pause: Duration,
}

impl ClusterControl {
    /// Brings along what is not wrapped by the key in force alone, if it is time. Not while a rekey runs: that does it.
    pub(in crate::cluster) fn catch_up(&self) -> Outcome<()> {
        if lock(&self.catching_up).next > self.clock.0.elapsed() || self.is_rekeying()? {
            return Ok(());
        }
        let Some(id) = self.cluster()?.and_then(|cluster| cluster.encryption.master_key) else { return Ok(()) };
        let behind: Vec<Header> = self.header_records()?.into_iter().filter(|header| !header.is_on(id)).collect();
        if behind.is_empty() {
            return self.resolve(FaultCode::RekeyIncomplete, SUBJECT);
        }
        let key = match self.master_key(id) {
            Ok(key) => key,
            Err(error) if is_silence(&error) => {
                self.plan_catch_up(false);
                return self.raise(&out_of_reach(id, &error.message));
            }
            Err(error) => return Err(error),
        };
        let left = self.sweep(&behind, &key)?;
        self.plan_catch_up(left.is_empty());
        match remainder(&left) {
            None => self.resolve(FaultCode::RekeyIncomplete, SUBJECT),
            Some(fault) => self.raise(&fault),
        }
    }

    /// The next round comes at once: something has become available.
    pub(in crate::cluster) fn hurry_catch_up(&self) {
        *lock(&self.catching_up) = CatchUp::default();
    }

    fn plan_catch_up(&self, is_done: bool) {
        let mut plan = lock(&self.catching_up);
        plan.pause = if is_done { Duration::ZERO } else { (plan.pause * 2).clamp(FIRST, LONGEST) };
        plan.next = self.clock.0.elapsed() + plan.pause;
    }

    fn is_rekeying(&self) -> Outcome<bool> {
        Ok(self.records.table::<Rekey>().get(Only).map_err(of_record)?.is_some())
    }

    /// A header was read on the way to something else. If it names a key that its record does not, as one that was put back
    /// from a copy may, the record follows and the header is brought along soon.
    pub(in crate::cluster) fn saw_header(&self, known: Option<&Header>, id: Uuid, keys: &[KeyId]) -> Outcome<()> {
        if known.is_none_or(|known| keys.iter().all(|key| known.keys.contains(key)) && known.trouble.is_none()) {
            return Ok(());
        }
        let _key_stays = read(&self.in_force);
        let seen: Read = Ok(Some(keys.iter().copied().collect()));
        self.read_back(&[(id, &seen)])?;
        self.hurry_catch_up();
        Ok(())
    }
}
