//! What has to be done now and then while nobody asks for a key.

use std::time::Duration;

use keywrap::keys::KeyId;

use super::copy;
use super::member::Member;
use super::member::each_at_once;
use super::records::Held;
use super::retire::clear;
use super::{ExternalProvider, Members, lock};
use crate::alarm::{Alarm, AlarmCode, Severity};
use crate::provider::ErrorKind;

/// How old an intent is before its key is cleared away: longer than any request to a server takes. The time of day does not
/// count, because it may be set: an intent of an earlier process is as old as this one.
const SETTLED: Duration = Duration::from_secs(600);

/// How often missing copies and failed keys are looked for.
const REPAIR: Duration = Duration::from_secs(60);

/// What a round did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tended {
    /// Keys in memory were wiped: no server has answered for longer than the grace period.
    pub locked: bool,
    /// Servers that were brought keys they lacked, by number, and the keys.
    pub repaired: Vec<(i64, KeyId)>,
    /// Keys that were never used and are now on no server.
    pub cleared: Vec<KeyId>,
}

impl ExternalProvider {
    /// One round: checks the servers that are due, wipes keys whose time is over, brings keys to servers that lack them,
    /// and clears away keys whose making failed. Call it every few seconds: it costs nothing while nothing is due.
    pub fn tend(&self) -> Tended {
        let (now, members) = (self.clock.elapsed(), self.members());
        let due: Members = members.iter().filter(|member| member.is_due(now)).cloned().collect();
        // What came of it is in the member's health.
        drop(each_at_once(&due, |member| member.check(self.clock.as_ref())));
        let mut tended = Tended { locked: self.expired_cache().1, ..Tended::default() };
        if self.begins_repairs(now) {
            let _one_at_a_time = self.writing();
            for member in members.iter().filter(|member| member.owes() && member.health().is_up()) {
                self.repair(member, &mut tended);
            }
            self.clear_intents(&mut tended);
        }
        tended
    }

    /// Whether it is time to look after keys again; then the next time is [`REPAIR`] later.
    fn begins_repairs(&self, now: Duration) -> bool {
        let mut next = lock(&self.next_repairs);
        let is_due = *next <= now;
        if is_due {
            *next = now + REPAIR;
        }
        is_due
    }

    /// Brings one server every key that is known and that it lacks. What cannot be had now is tried again.
    fn repair(&self, member: &Member, tended: &mut Tended) {
        let (Ok(wanted), Ok(there)) = (self.records.wanted(), self.keys_on(member, |_| true)) else { return };
        let mut is_complete = true;
        for id in wanted.into_iter().filter(|id| !there.contains(id)) {
            let copied = self.fetch(id).is_ok_and(|key| copy::ensure(member, self.clock.as_ref(), id, &key).is_ok());
            is_complete &= copied;
            tended.repaired.extend(copied.then(|| (member.id(), id)));
        }
        member.set_owed(!is_complete);
    }

    fn clear_intents(&self, tended: &mut Tended) {
        for held in self.records.intents().unwrap_or_default() {
            let id = held.id;
            if self.is_settled(id) && self.clear_intent(held).is_some() {
                lock(&self.begun).remove(&id);
                tended.cleared.push(id);
            }
        }
    }

    fn is_settled(&self, id: KeyId) -> bool {
        let begun = lock(&self.begun).get(&id).copied().unwrap_or(self.since);
        begun + SETTLED <= self.clock.elapsed()
    }

    /// `Some` when the key is on no server and its intent is gone.
    fn clear_intent(&self, held: Held) -> Option<()> {
        let held = self.records.condemn(held).ok()??;
        let gone = |member: &Member| clear(member, self.clock.as_ref(), held.id).is_ok();
        // Every server is asked, also after one that fails.
        let left = self.members().iter().filter(|member| !gone(member)).count();
        if left == 0 { self.records.drop_intent(&held).ok() } else { None }
    }

    /// What is wrong with the servers now.
    #[must_use]
    pub fn alarms(&self) -> Vec<Alarm> {
        let members = self.members();
        let all_down = members.iter().all(|member| !member.health().is_up());
        members.iter().filter_map(|member| alarm(member, all_down)).collect()
    }
}

fn alarm(member: &Member, all_down: bool) -> Option<Alarm> {
    let about = format!("key server {}", member.id());
    let health = member.health();
    let (severity, details) = match (health.failure, member.wrong(), member.lacks()) {
        (Some(failure), ..) => {
            let advice = match failure.kind {
                ErrorKind::NotAuthenticated => "Check its CA certificate and this cluster's client certificate.",
                ErrorKind::Unreachable => "Check the network and the server, then TestKeyServerKmip.",
                ErrorKind::Refused | ErrorKind::Absent => "See the server's own log.",
            };
            let severity = if all_down { Severity::Critical } else { Severity::Error };
            (severity, format!("Key server {} does not work: {}. {advice}", member.label(), failure.message))
        }
        (None, Some(id), _) => (
            Severity::Error,
            format!(
                "Key server {} holds other bytes than master key {id}. It is not used for it: find out where they come \
                 from, and clear it from that server.",
                member.label()
            ),
        ),
        (None, None, true) => (
            Severity::Warning,
            format!("Key server {} lacks keys that the others hold; they are being copied.", member.label()),
        ),
        (None, None, false) => return None,
    };
    Some(Alarm { code: AlarmCode::KmipServerFault, severity, about, details })
}
