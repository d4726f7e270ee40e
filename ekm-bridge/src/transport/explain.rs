//! What a failed connection means, and what to do about it.

use std::io;

use rustls::{AlertDescription, CertificateError, Error as TlsError};

use super::connection::is_cut;
use super::session::Fault;
use super::{Endpoint, ServerConfig};
use crate::kmip::ops::Repeat;
use crate::kmip::{ErrorKind, ExchangeError};

/// A connection could not be opened, so nothing was asked.
pub(super) fn connecting(endpoint: &Endpoint, config: &ServerConfig, error: io::Error) -> ExchangeError {
    let (kind, words) = match tls_error(&error) {
        Some(error) => tls(error),
        None => (ErrorKind::Unreachable, no_connection(config, &error)),
    };
    let was_cut = is_cut(&error);
    ExchangeError { kind, was_cut, message: format!("{endpoint}: {words}"), source: Some(Box::new(error)) }
}

/// A request was sent, in whole or in part, and got no answer.
pub(super) fn exchanging(config: &ServerConfig, fault: Fault, repeat: Repeat) -> ExchangeError {
    let error = match fault {
        Fault::Io(error) => error,
        Fault::NoMessage(error) => {
            let message = format!("the answer is no KMIP message: {error}");
            return ExchangeError {
                kind: ErrorKind::Malformed,
                was_cut: false,
                message,
                source: Some(Box::new(error)),
            };
        }
    };
    let was_cut = is_cut(&error);
    // With TLS 1.3 a server looks at the client's certificate only after the client thinks that all is well.
    let (kind, message) = match tls_error(&error) {
        Some(error) => tls(error),
        None => no_answer(config, &error, repeat),
    };
    ExchangeError { kind, was_cut, message, source: Some(Box::new(error)) }
}

fn tls_error(error: &io::Error) -> Option<&TlsError> {
    error.get_ref()?.downcast_ref()
}

fn no_connection(config: &ServerConfig, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens there (connection refused)".into(),
        io::ErrorKind::TimedOut => {
            format!("no connection within {:?}; is a firewall in between?", config.connect_timeout)
        }
        kind if is_cut(error) => format!(
            "the connection was closed during the TLS handshake ({kind}); a server that offers only CBC cipher suites \
             or does not accept the client certificate may do this: its log says which"
        ),
        _ => error.to_string(),
    }
}

fn no_answer(config: &ServerConfig, error: &io::Error, repeat: Repeat) -> (ErrorKind, String) {
    let what = match error.kind() {
        io::ErrorKind::TimedOut => format!("no answer within {:?}", config.request_timeout),
        kind if is_cut(error) => format!("the connection was closed without an answer ({kind})"),
        _ => error.to_string(),
    };
    match repeat {
        Repeat::Harmless => (ErrorKind::Unreachable, what),
        Repeat::MakesAnother => (ErrorKind::ReplyLost, format!("{what}; it may have been carried out all the same")),
    }
}

fn tls(error: &TlsError) -> (ErrorKind, String) {
    match error {
        TlsError::InvalidCertificate(error) => (ErrorKind::NotAuthenticated, server_certificate(error)),
        TlsError::AlertReceived(alert) => self::alert(*alert),
        TlsError::PeerIncompatible(error) => (ErrorKind::Refused, incompatible(&format!("{error:?}"))),
        TlsError::InvalidMessage(_) | TlsError::InappropriateMessage { .. } => {
            (ErrorKind::Refused, format!("what answers there does not speak TLS: {error}"))
        }
        other => (ErrorKind::Refused, format!("TLS failed: {other}")),
    }
}

/// We do not accept the server.
fn server_certificate(error: &CertificateError) -> String {
    let advice = match error {
        CertificateError::UnknownIssuer => {
            "no authority in the CA bundle issued it; put the CA of this server into the bundle"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired; renew it on the server, and look at the clocks of both sides"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; look at the clocks of both sides"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name; configure the server under a name or address that its certificate has"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it may not be used for a server; its extended key usage has to include serverAuth"
        }
        CertificateError::Revoked => "it was revoked",
        _ => "it cannot be used",
    };
    format!("the server's certificate is not accepted: {advice} ({error})")
}

/// The server does not accept us, or nothing that we offer.
fn alert(alert: AlertDescription) -> (ErrorKind, String) {
    use AlertDescription as A;
    let client = |advice: &str| {
        let message = format!("the server does not accept the client certificate: {advice} (alert {alert:?})");
        (ErrorKind::NotAuthenticated, message)
    };
    match alert {
        A::UnknownCA => client("it does not know the authority that issued it; give the server that CA certificate"),
        A::CertificateExpired => client("it has expired; renew it, and look at the clocks of both sides"),
        A::CertificateRevoked => client("it was revoked"),
        A::CertificateRequired | A::NoCertificate => client("it did not get one that fits its list of authorities"),
        A::BadCertificate | A::UnsupportedCertificate | A::CertificateUnknown | A::AccessDenied | A::DecryptError => {
            client("look at its extended key usage, which has to include clientAuth, and at the server's log")
        }
        A::HandshakeFailure | A::InsufficientSecurity => {
            (ErrorKind::Refused, incompatible(&format!("alert {alert:?}")))
        }
        A::ProtocolVersion => {
            (ErrorKind::Refused, "the server speaks neither TLS 1.2 nor TLS 1.3; switch one of them on there".into())
        }
        A::UnrecognisedName => (ErrorKind::Refused, "the server does not know the name it was asked for".into()),
        other => (ErrorKind::Refused, format!("the server ended TLS with the alert {other:?}")),
    }
}

fn incompatible(detail: &str) -> String {
    format!(
        "no common cipher suite ({detail}): this client speaks TLS 1.2 and 1.3 with AES-GCM and ChaCha20-Poly1305 and \
         ECDHE; on a server that offers only CBC suites, switch GCM suites on, or give it an EC certificate if its RSA \
         one stands in the way"
    )
}
