//! An authority that signs the cluster's certificate, valid for a year around the clock of the tests.

use std::time::{Duration, UNIX_EPOCH};

use ekm_bridge::time::UnixSeconds;
use ekm_bridge::trust::ClientKeyPair;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

pub(crate) const NOW: UnixSeconds = UnixSeconds(1_700_000_000);
pub(crate) const DAY: u64 = 86_400;

pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = params("authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn issue(&self, pair: &ClientKeyPair) -> String {
        let mut params = params("sear");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let der = rustls_pki_types::PrivatePkcs8KeyDer::from(pair.private_key().expose_secret());
        let key = KeyPair::try_from(&der).unwrap();
        params.signed_by(&key, &self.0).unwrap().pem()
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = (UNIX_EPOCH + Duration::from_secs(NOW.0 - DAY)).into();
    params.not_after = (UNIX_EPOCH + Duration::from_secs(NOW.0 + 365 * DAY)).into();
    params
}
