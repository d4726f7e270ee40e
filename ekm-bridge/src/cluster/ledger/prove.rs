//! The proof that nothing depends on a key any more.

use keywrap::keys::KeyId;

use crate::cluster::control::{ClusterControl, read};
use crate::cluster::errors::{of_provider, of_record};
use crate::cluster::headers::{AT_ONCE, Read};
use crate::cluster::run::in_parallel;
use crate::cluster::whole::Failed;
use crate::records::key_lives::{Proof, READINGS, Reading, Readings};
use crate::records::{self, Header, KeyLife, MasterKeyRecord, Only, Rekey};
use crate::rekey::machine::Progress;
use crate::rpc::control::Outcome;
use crate::rpc::{ApiError, ErrorName};

impl ClusterControl {
    /// Reads every header once more and asks every server of the key in force for that key. Whether it is proven: that no
    /// header names `key`, the last reading counting for those that are away.
    pub(super) fn prove(&self, key: &MasterKeyRecord) -> Outcome<bool> {
        let headers = self.header_records()?;
        let looks: Vec<Read> = in_parallel(self.config.parallel, &headers, |header| self.look_at(header));
        let mut readings = Vec::with_capacity(headers.len());
        for (header, look) in headers.iter().zip(&looks) {
            match self.reading(header, look, key.id) {
                Some(reading) => readings.push(reading),
                None => return self.disproven(&headers, &looks),
            }
        }
        let (in_force, agreed) = self.agreement()?;
        let number = self.life(key.id)?.proofs.saturating_add(1);
        self.keep_readings(key.id, number, &readings)?;
        let proof = Proof { at: self.now(), number, headers: readings.len(), in_force, agreed };
        self.seal(key.id, &proof)
    }

    /// What a look at a header shows; `None` when it shows a dependant, or nothing.
    fn reading(&self, header: &Header, look: &Read, key: KeyId) -> Option<Reading> {
        let (at, keys, is_earlier) = match look {
            Ok(Some(keys)) if keys.contains(&key) => return None,
            Ok(Some(keys)) => (self.now(), keys.iter().copied().collect(), false),
            // It is away. Its record never names fewer keys than it does.
            Ok(None) | Err(_) => (header.read?, header.keys.iter().copied().collect(), true),
        };
        Some(Reading { header: header.name(), at, keys, is_earlier })
    }

    /// Something names the key after all, as a header may that was put back from a copy: the records follow.
    fn disproven(&self, headers: &[Header], looks: &[Read]) -> Outcome<bool> {
        let _key_stays = read(&self.in_force);
        let pairs: Vec<_> = headers.iter().map(|header| header.id).zip(looks).collect();
        for some in pairs.chunks(AT_ONCE) {
            self.read_back(some)?;
        }
        self.hurry_catch_up();
        Ok(false)
    }

    /// The key in force, and the servers that have just given it out: all of its provider.
    fn agreement(&self) -> Outcome<(KeyId, Vec<String>)> {
        let none = || ApiError::new(ErrorName::AssertionFailure, "no master key is in force");
        let in_force = self.need_cluster()?.encryption.master_key.ok_or_else(none)?;
        let manager = self.manager(self.key_record(in_force)?.management)?;
        Ok((in_force, manager.agree_on(in_force).map_err(of_provider)?))
    }

    fn keep_readings(&self, key: KeyId, number: u32, readings: &[Reading]) -> Outcome<()> {
        for (part, readings) in (0..).zip(readings.chunks(READINGS)) {
            let readings = Readings::new(key, number, part, readings.to_vec());
            self.records.table().put(&readings).map_err(of_record)?;
        }
        Ok(())
    }

    /// The proof holds if the key is named by no record at the moment of this transaction: a header that comes to name it
    /// is on record first.
    fn seal(&self, key: KeyId, proof: &Proof) -> Outcome<bool> {
        let sealed = self.records.transact(|work| {
            let in_force = work.need::<records::Cluster>(Only)?.encryption.master_key;
            let may_return = work.get::<Rekey>(Only)?.is_some_and(|rekey| Progress::of(&rekey).may_restore(key));
            if in_force != Some(proof.in_force) || may_return || !Header::naming(work, key)?.is_empty() {
                return Ok(false);
            }
            let mut life = work.get::<KeyLife>(key)?.unwrap_or_else(|| KeyLife::new(key));
            (life.proof, life.proofs) = (Some(proof.clone()), proof.number);
            work.put(&life)?;
            Ok::<_, Failed>(true)
        });
        Ok(sealed?)
    }
}
