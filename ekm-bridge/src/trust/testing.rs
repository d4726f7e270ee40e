//! An authority and certificates from it, for the tests of this folder.

use std::time::{Duration, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

use super::{CertificateChain, ClientKeyPair};
use crate::time::UnixSeconds;

pub(super) const DAY: u64 = 86_400;
pub(super) const START: UnixSeconds = UnixSeconds(1_700_000_000);
pub(super) const END: UnixSeconds = UnixSeconds(START.0 + 365 * DAY);

pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate in PEM for the key pair, with this extended key usage.
    pub(super) fn issue(&self, name: &str, pair: &ClientKeyPair, usages: &[ExtendedKeyUsagePurpose]) -> String {
        let mut params = params(name);
        params.extended_key_usages = usages.to_vec();
        let der = rustls_pki_types::PrivatePkcs8KeyDer::from(pair.private_key().expose_secret());
        let key = KeyPair::try_from(&der).unwrap();
        params.signed_by(&key, &self.0).unwrap().pem()
    }

    pub(super) fn issue_client(&self, name: &str, pair: &ClientKeyPair) -> String {
        self.issue(name, pair, &[ExtendedKeyUsagePurpose::ClientAuth])
    }
}

pub(super) fn chain(pem: &str) -> CertificateChain {
    CertificateChain::from_pem(pem).unwrap()
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = (UNIX_EPOCH + Duration::from_secs(START.0)).into();
    params.not_after = (UNIX_EPOCH + Duration::from_secs(END.0)).into();
    params
}
