//! The watch over certificates and key servers, as faults.

use super::in_parallel;
use crate::cluster::control::ClusterControl;
use crate::cluster::errors::{of_provider, of_record};
use crate::cluster::report::{FaultCode, of_alarm};
use crate::records::{KeyProviderRecord, KeyServer, MasterKeyRecord, MasterKeyState, NewFault, VolumeStatus};
use crate::rpc::control::Outcome;
use crate::time::UnixSeconds;
use crate::trust::{CertificateChain, Role, Watched, watch};

impl ClusterControl {
    /// Faults of certificates that end soon or have ended.
    pub(super) fn watch_certificates(&self) -> Outcome<()> {
        let servers: Vec<KeyServer> = self.records.table().list().map_err(of_record)?;
        if let Some(metrics) = &self.metrics {
            metrics.certificate_not_after.clear();
        }
        let faults: Vec<NewFault> = servers.iter().flat_map(|server| self.certificate_faults(server)).collect();
        self.make_faults(FaultCode::KmipCertificate, "key-server-", &faults)
    }

    fn certificate_faults(&self, server: &KeyServer) -> Vec<NewFault> {
        let number = i64::try_from(server.id.0).unwrap_or(i64::MAX);
        let texts = [(Role::Authority, &server.ca_certificate), (Role::Client, &server.client_certificate)];
        let mut faults = Vec::new();
        for (role, pem) in texts {
            // They were readable when they were taken.
            let Ok(chain) = CertificateChain::from_pem(pem) else { continue };
            let watched = chain.certificates().iter().map(|certificate| Watched {
                key_server: number,
                name: &server.name,
                role,
                certificate,
            });
            let watched: Vec<Watched<'_>> = watched.collect();
            watched.iter().for_each(|watched| self.count_certificate(server, watched));
            let alarms = watch(&watched, self.now());
            faults.extend(alarms.iter().map(|alarm| of_alarm(FaultCode::KmipCertificate, alarm)));
        }
        faults
    }

    /// Has every active provider look after its servers, and turns what it finds into faults.
    pub(super) fn watch_servers(&self) -> Outcome<()> {
        let providers: Vec<KeyProviderRecord> = self.records.table().list().map_err(of_record)?;
        // One that hangs holds up no other.
        let looks = in_parallel(providers.len(), &providers, |provider| self.watch_provider(provider));
        let faults = looks.into_iter().collect::<Outcome<Vec<_>>>()?.concat();
        self.make_faults(FaultCode::KmipServer, "key-server-", &faults)
    }

    fn watch_provider(&self, provider: &KeyProviderRecord) -> Outcome<Vec<NewFault>> {
        let live = self.provider(provider.id)?;
        // One that never got its first key may have tried.
        if !provider.active && !live.has_leftovers().map_err(of_provider)? {
            return Ok(Vec::new());
        }
        let tended = live.tend();
        if tended.locked {
            tracing::warn!(provider = %provider.id, "no key server answers; its keys in memory were wiped");
        }
        for (id, health) in live.health() {
            self.count_server(id, health.is_up());
        }
        Ok(live.alarms().iter().map(|alarm| of_alarm(FaultCode::KmipServer, alarm)).collect())
    }

    fn count_certificate(&self, server: &KeyServer, watched: &Watched<'_>) {
        let Some(metrics) = &self.metrics else { return };
        let role = match watched.role {
            Role::Authority => "authority",
            Role::Client => "client",
            Role::Server => "server",
        };
        let labels = [&server.id.to_string(), role, watched.certificate.subject()];
        metrics.certificate_not_after.with(&labels).set(seconds(watched.certificate.not_after()));
    }

    /// Sets the gauges of master keys.
    pub(super) fn count_keys(&self) -> Outcome<()> {
        let Some(metrics) = &self.metrics else { return Ok(()) };
        let keys: Vec<MasterKeyRecord> = self.records.table().list().map_err(of_record)?;
        let old = keys.iter().filter(|key| key.state == MasterKeyState::ToDecommission).count();
        metrics.keys_to_decommission.with(&[]).set(f64::from(u32::try_from(old).unwrap_or(u32::MAX)));
        metrics.master_key_created.clear();
        for key in keys.iter().filter(|key| key.state == MasterKeyState::Active) {
            let provider = key.provider().map_or_else(|| "internal".to_owned(), |id| id.to_string());
            metrics.master_key_created.with(&[&key.id.to_string(), &provider]).set(seconds(key.created));
        }
        Ok(())
    }

    /// Sets the gauges of volumes.
    pub(super) fn count_volumes(&self) -> Outcome<()> {
        let Some(metrics) = &self.metrics else { return Ok(()) };
        let (mut open, mut closed, mut deleted) = (0_u32, 0_u32, 0_u32);
        for volume in self.volume_records()? {
            match volume.status {
                VolumeStatus::Deleted { .. } => deleted += 1,
                VolumeStatus::Active if self.host.is_open(volume.uuid) => open += 1,
                VolumeStatus::Active => closed += 1,
            }
        }
        for (state, count) in [("open", open), ("closed", closed), ("deleted", deleted)] {
            metrics.volumes.with(&[state]).set(f64::from(count));
        }
        Ok(())
    }

    fn count_server(&self, id: i64, is_up: bool) {
        if let Some(metrics) = &self.metrics {
            metrics.key_server_up.with(&[&id.to_string()]).set(f64::from(u8::from(is_up)));
        }
    }
}

/// A time as a gauge holds it: exact for the next 270 000 years.
fn seconds(time: UnixSeconds) -> f64 {
    let (high, low) = (time.0 >> 32, time.0 & u64::from(u32::MAX));
    let part = |part: u64| f64::from(u32::try_from(part).unwrap_or(u32::MAX));
    part(high) * 4_294_967_296.0 + part(low)
}
