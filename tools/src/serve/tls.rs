//! TLS: the certificate files that are named on the command line.

use std::path::PathBuf;

use clap::Args;
use datapath::export::nbd::TlsConfig;

/// Arguments that switch TLS on.
#[derive(Args, Clone, Debug)]
pub(crate) struct TlsFiles {
    /// Serve over TLS only, with the certificate chain in FILE (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Let in only clients with a certificate of an authority in FILE (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
}

impl TlsFiles {
    /// What the server is told, if TLS is on.
    pub(super) fn config(&self) -> Option<TlsConfig> {
        let (certificates, key) = (self.tls_cert.clone()?, self.tls_key.clone()?);
        Some(TlsConfig { certificates, key, client_authorities: self.tls_client_ca.clone(), optional: false })
    }
}
