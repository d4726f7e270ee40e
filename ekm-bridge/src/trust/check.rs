//! Whether certificates can do what they were given for. Nothing here replaces the handshake; it finds before the first
//! connection what a key server would only answer with a refusal.

use super::certificate::{Certificate, ClientAuth};
use super::chain::CertificateChain;
use super::date::utc;
use crate::time::UnixSeconds;

/// Something that is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Its time is over.
    #[error("the certificate of {subject} ended on {end}; get a new one", end = utc(*.not_after))]
    Expired {
        /// Whose.
        subject: String,
        /// When.
        not_after: UnixSeconds,
    },
    /// Its time has not come.
    #[error(
        "the certificate of {subject} is valid only from {start} on; wait, or set the clock of this node",
        start = utc(*.not_before)
    )]
    NotYetValid {
        /// Whose.
        subject: String,
        /// When.
        not_before: UnixSeconds,
    },
    /// It was made for another key.
    #[error(
        "the certificate of {subject} is for another key pair than this cluster's; have the present certificate \
         request signed (GetClientCertificateSignRequest)"
    )]
    OtherKey {
        /// Whose.
        subject: String,
    },
    /// It may not be used to log in.
    #[error(
        "the certificate of {subject} is not for logging in: its extended key usage lacks clientAuth; have it signed \
         again with the extensions of the request"
    )]
    NotForClients {
        /// Whose.
        subject: String,
    },
    /// Nothing says that it may be used to log in, and many key servers want to see it.
    #[error(
        "the certificate of {subject} has no extended key usage; many key servers accept such a connection and refuse \
         every request on it"
    )]
    ClientAuthNotNamed {
        /// Whose.
        subject: String,
    },
    /// A server's or client's certificate in the place of an authority's.
    #[error(
        "the certificate of {subject} is not an authority's (basicConstraints CA, keyUsage keyCertSign); give the \
         certificate of the authority that signed the key server's"
    )]
    NotAuthority {
        /// Whose.
        subject: String,
    },
    /// The certificates after the first do not lead upwards.
    #[error("the certificate of {subject} was not signed by the next one in the text; put each before its issuer's")]
    ChainBroken {
        /// Whose.
        subject: String,
    },
}

impl Problem {
    /// Whether no connection can succeed with it; the others only may fail.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::ClientAuthNotNamed { .. } | Self::ChainBroken { .. })
    }
}

/// What is wrong with this chain as the client certificate of the key pair with this public key
/// (SubjectPublicKeyInfo in DER), at `now`.
#[must_use]
pub fn check_client(chain: &CertificateChain, public_key: &[u8], now: UnixSeconds) -> Vec<Problem> {
    let (leaf, subject) = (chain.leaf(), || chain.leaf().subject().to_owned());
    let mut problems = check_times(chain.certificates(), now);
    if leaf.public_key() != public_key {
        problems.push(Problem::OtherKey { subject: subject() });
    }
    match leaf.client_auth() {
        ClientAuth::Named | ClientAuth::Any => {}
        ClientAuth::Unrestricted => problems.push(Problem::ClientAuthNotNamed { subject: subject() }),
        ClientAuth::Forbidden => problems.push(Problem::NotForClients { subject: subject() }),
    }
    let broken = chain.certificates().windows(2).find(|pair| !pair[0].is_signed_by(&pair[1]));
    problems.extend(broken.map(|pair| Problem::ChainBroken { subject: pair[0].subject().to_owned() }));
    problems
}

/// What is wrong with these certificates as the authorities that a key server's certificate must come from, at `now`.
#[must_use]
pub fn check_authorities(chain: &CertificateChain, now: UnixSeconds) -> Vec<Problem> {
    let mut problems = check_times(chain.certificates(), now);
    let others = chain.certificates().iter().filter(|certificate| !certificate.is_authority());
    problems.extend(others.map(|certificate| Problem::NotAuthority { subject: certificate.subject().to_owned() }));
    problems
}

fn check_times(certificates: &[Certificate], now: UnixSeconds) -> Vec<Problem> {
    let check = |certificate: &Certificate| {
        let (subject, not_before, not_after) =
            (certificate.subject().to_owned(), certificate.not_before(), certificate.not_after());
        match now {
            _ if now > not_after => Some(Problem::Expired { subject, not_after }),
            _ if now < not_before => Some(Problem::NotYetValid { subject, not_before }),
            _ => None,
        }
    };
    certificates.iter().filter_map(check).collect()
}

#[cfg(test)]
mod tests;
