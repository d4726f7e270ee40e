//! Who this cluster is to a key server, and whom it believes: the key pair, its certificate request, and the watch over
//! every certificate.
//!
//! ```text
//! Subject ─▶ ClientKeyPair ─▶ certificate request (PEM) ─▶ the key server's CA ─▶ client certificate (PEM)
//!               │ sealed under the root key                                            │
//!               ▼                                                                      ▼
//!            KeyPairStore                                     CertificateChain ─▶ check (can it serve?) ─▶ watch (until when?)
//! ```
//! No socket is opened here and no clock is read: `now` is an argument.

mod certificate;
mod chain;
mod check;
mod date;
mod key_pair;
mod key_pair_store;
mod subject;
#[cfg(test)]
mod testing;
mod watch;

pub use certificate::{BadCertificate, Certificate, ClientAuth};
pub use chain::{BadChain, CertificateChain, MAX_CERTIFICATES, MAX_PEM_LEN};
pub use check::{Problem, check_authorities, check_client};
pub use key_pair::{ClientKeyPair, KeyAlgorithm, KeyPairError};
pub use key_pair_store::{KeyPairInfo, KeyPairStore, TrustError};
pub use subject::{BadSubject, Subject};
pub use watch::{Role, Watched, watch};
