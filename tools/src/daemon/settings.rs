//! `[daemon]` of the configuration. docs/configuration.md names the keys.

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use datapath::export::nbd::TlsConfig;
use ekm_bridge::cluster::{Config, Decommission};
use ekm_bridge::provider::external::CachePolicy;
use ekm_bridge::rpc::server::Setup;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::parse::Listen;

/// The section. Every key may be missing.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Section {
    /// Where the API is served.
    pub(crate) api: Vec<SocketAddr>,
    /// PEM files of the API's certificate chain and key, in the place of a self-signed one.
    pub(crate) api_cert: Option<PathBuf>,
    pub(crate) api_key: Option<PathBuf>,
    /// Host names of the self-signed certificate.
    pub(crate) api_names: Vec<String>,
    /// From where the cluster may be created.
    pub(crate) setup_from: SetupFrom,
    /// Where volumes are served over NBD.
    pub(crate) nbd: Option<Vec<Typed<Listen>>>,
    pub(crate) nbd_cert: Option<PathBuf>,
    pub(crate) nbd_key: Option<PathBuf>,
    pub(crate) nbd_client_ca: Option<PathBuf>,
    /// Where the volumes' files are.
    pub(crate) data: Option<PathBuf>,
    /// Directories, files and block devices outside of `data` where volumes may lie.
    pub(crate) places: Vec<PathBuf>,
    /// Directories, each on a drive of its own, that hold copies of the state.
    pub(crate) metadata: Vec<PathBuf>,
    /// How long a fetched master key serves when no key server answers; until the end of the process by default.
    pub(crate) key_grace_seconds: Option<u64>,
    /// On how many key servers a new master key must lie before it is used.
    pub(crate) key_copies: Option<usize>,
    /// When a master key that nothing depends on any more is destroyed.
    pub(crate) decommission: WhenUnused,
    /// With `decommission = "after-hold"`: hours since it was replaced.
    pub(crate) decommission_hold_hours: u64,
    /// How many headers a rekey changes at the same time.
    pub(crate) rekey_headers: NonZeroUsize,
    pub(crate) audit_limit_mib: u64,
    /// What cannot be recorded is not done.
    pub(crate) audit_required: bool,
    /// How long a deleted volume is kept; 0: until it is purged.
    pub(crate) purge_after_hours: u32,
    pub(crate) log: LogFormat,
    pub(crate) log_level: Option<String>,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            api: vec![SocketAddr::from(([127, 0, 0, 1], 4443))],
            api_cert: None,
            api_key: None,
            api_names: Vec::new(),
            setup_from: SetupFrom::default(),
            nbd: None,
            nbd_cert: None,
            nbd_key: None,
            nbd_client_ca: None,
            data: None,
            places: Vec::new(),
            metadata: Vec::new(),
            key_grace_seconds: None,
            key_copies: None,
            decommission: WhenUnused::default(),
            decommission_hold_hours: 168,
            rekey_headers: Config::default().rewraps,
            audit_limit_mib: 1024,
            audit_required: false,
            purge_after_hours: 8,
            log: LogFormat::default(),
            log_level: None,
        }
    }
}

/// From where `CreateCluster` is taken.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SetupFrom {
    /// From this machine.
    #[default]
    ThisMachine,
    /// From anywhere: whoever comes first is the administrator.
    Anywhere,
}

/// When a master key that nothing depends on any more is destroyed.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WhenUnused {
    /// At once.
    #[default]
    AtOnce,
    /// Some time after it was replaced.
    AfterHold,
    /// When an administrator says so.
    ByWord,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Section {
    /// Who may create the cluster.
    pub(crate) fn setup(&self) -> Setup {
        match self.setup_from {
            SetupFrom::ThisMachine => Setup::Loopback,
            SetupFrom::Anywhere => Setup::Anywhere,
        }
    }

    /// TLS of the NBD server, if it has any.
    ///
    /// # Errors
    /// A text for people, when a certificate is without its key or the other way round.
    pub(crate) fn nbd_tls(&self) -> Result<Option<TlsConfig>, String> {
        let client_authorities = self.nbd_client_ca.clone();
        match (self.nbd_cert.clone(), self.nbd_key.clone()) {
            (Some(certificates), Some(key)) => {
                Ok(Some(TlsConfig { certificates, key, client_authorities, optional: false }))
            }
            (None, None) if client_authorities.is_none() => Ok(None),
            _ => Err("nbd-cert and nbd-key belong together, and nbd-client-ca needs both".to_owned()),
        }
    }

    /// When old master keys end.
    pub(crate) fn decommission(&self) -> Decommission {
        match self.decommission {
            WhenUnused::AtOnce => Decommission::AtOnce,
            WhenUnused::AfterHold => {
                Decommission::After(Duration::from_secs(self.decommission_hold_hours.saturating_mul(3600)))
            }
            WhenUnused::ByWord => Decommission::ByWord,
        }
    }

    /// The keys in which `new` differs and that a running daemon does not take over.
    pub(crate) fn differs_for_good_from(&self, new: &Self) -> Vec<&'static str> {
        let keys = [
            ("api", self.api != new.api),
            ("api-names", self.api_names != new.api_names),
            ("setup-from", self.setup_from != new.setup_from),
            ("nbd", self.nbd != new.nbd),
            ("data", self.data != new.data),
            ("places", self.places != new.places),
            ("metadata", self.metadata != new.metadata),
            ("key-copies", self.key_copies != new.key_copies),
            ("audit-limit-mib", self.audit_limit_mib != new.audit_limit_mib),
            ("audit-required", self.audit_required != new.audit_required),
            ("decommission", self.decommission != new.decommission),
            ("decommission-hold-hours", self.decommission_hold_hours != new.decommission_hold_hours),
            ("rekey-headers", self.rekey_headers != new.rekey_headers),
            ("purge-after-hours", self.purge_after_hours != new.purge_after_hours),
            ("log", self.log != new.log),
        ];
        keys.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }

    /// How long deleted volumes are kept.
    pub(crate) fn purge_after(&self) -> Option<Duration> {
        (self.purge_after_hours > 0).then(|| Duration::from_secs(u64::from(self.purge_after_hours) * 3600))
    }

    /// What becomes of master keys when no key server answers.
    pub(crate) fn cache(&self) -> CachePolicy {
        match self.key_grace_seconds {
            None => CachePolicy::Keep,
            Some(seconds) => CachePolicy::LockAfter(Duration::from_secs(seconds)),
        }
    }
}

/// A value that is written as a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Typed<T>(pub(crate) T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Typed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(AsText(PhantomData)).map(Self)
    }
}

/// Parses where the text is visited, so that an error knows its place in the file.
struct AsText<T>(PhantomData<T>);

impl<T: FromStr<Err: Display>> Visitor<'_> for AsText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}
