//! Errors as a client sees them: a code, a name to match on, a message for people.
//!
//! Names that public Element clients and documents know are used with that meaning. Where none is public, for keys and
//! key servers above all, the name is ours; [`ErrorName::is_ours`] tells, and `docs/rpc.md` lists them.

use std::error::Error;

macro_rules! error_names {
    ($( $(#[doc = $doc:literal])* $variant:ident = $wire:literal $code:literal $origin:ident, )*) => {
        /// What a client matches on. Stable across releases.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorName { $( $(#[doc = $doc])* $variant, )* }

        impl ErrorName {
            /// Every name, in the order of the documentation.
            pub const ALL: &[Self] = &[ $( Self::$variant, )* ];

            /// The name on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $wire, )* }
            }

            /// The code on the wire: 400 for what is no request, 500 for a request that failed.
            #[must_use]
            pub fn code(self) -> u16 {
                match self { $( Self::$variant => $code, )* }
            }

            /// Whether the name is our invention.
            #[must_use]
            pub fn is_ours(self) -> bool {
                match self { $( Self::$variant => error_names!(@ours $origin), )* }
            }
        }
    };
    (@ours ours) => { true };
    (@ours element) => { false };
}

error_names! {
    /// The body is not one JSON object with a method and named parameters.
    InvalidRequest = "xInvalidRequest" 400 ours,
    /// The path names a version that is not served.
    UnknownApiVersion = "xUnknownAPIVersion" 500 ours,
    /// No such method in this version or on this port.
    UnknownApiMethod = "xUnknownAPIMethod" 500 element,
    /// A parameter is missing, out of range or contradicts another.
    InvalidParameter = "xInvalidParameter" 500 element,
    /// A parameter has another JSON type.
    InvalidParameterType = "xInvalidParameterType" 500 element,
    /// A parameter is none of the words of its enumeration.
    UnrecognizedEnumString = "xUnrecognizedEnumString" 500 element,
    /// The caller's role does not allow the method.
    PermissionDenied = "xPermissionDenied" 500 element,
    /// More than a limit of [`GetLimits`](crate::rpc::types::limits) or of a method.
    ExceededLimit = "xExceededLimit" 500 element,
    /// This system never does that, or not in its present state.
    ApiNotPermitted = "xAPINotPermitted" 500 element,
    /// Somebody else changed the same record first; clients repeat the call.
    DbVersionMismatch = "xDBVersionMismatch" 500 element,
    /// The store does not answer.
    DbConnectionLoss = "xDBConnectionLoss" 500 element,
    /// No such record, such as an asynchronous result that was handed out.
    DbNoSuchPath = "xDBNoSuchPath" 500 element,
    /// Another node answers this call.
    NotPrimary = "xNotPrimary" 500 element,
    /// Another node gave no answer in time.
    RpcTimeout = "xRpcTimeout" 500 element,
    /// No such volume.
    VolumeDoesNotExist = "xVolumeIDDoesNotExist" 500 element,
    /// No such account.
    AccountDoesNotExist = "xAccountIDDoesNotExist" 500 element,
    /// No such quality-of-service policy.
    QosPolicyDoesNotExist = "xQoSPolicyDoesNotExist" 500 element,
    /// `CreateCluster` ran before.
    ClusterAlreadyCreated = "xClusterAlreadyCreated" 500 element,
    /// A defect: the call broke an assumption of the program.
    AssertionFailure = "xAssertionFailure" 500 element,
    /// `CreateCluster` did not run yet.
    ClusterDoesNotExist = "xClusterDoesNotExist" 500 ours,
    /// No such drive.
    DriveDoesNotExist = "xDriveIDDoesNotExist" 500 ours,
    /// The drive's status does not allow the call.
    DriveNotAvailable = "xDriveNotAvailable" 500 ours,
    /// The volume's status does not allow the call.
    VolumeNotDeleted = "xVolumeNotDeleted" 500 ours,
    /// `CreatePublicPrivateKeyPair` did not run yet.
    KeyPairDoesNotExist = "xKeyPairDoesNotExist" 500 ours,
    /// The key pair belongs to a certificate of an active provider's server.
    KeyPairInUse = "xKeyPairInUse" 500 ours,
    /// No such key server.
    KeyServerDoesNotExist = "xKeyServerDoesNotExist" 500 ours,
    /// The key server belongs to another provider.
    KeyServerInUse = "xKeyServerInUse" 500 ours,
    /// An active provider would be left without a server.
    LastKeyServerOfActiveProvider = "xLastKeyServerOfActiveProvider" 500 ours,
    /// No such key provider.
    KeyProviderDoesNotExist = "xKeyProviderDoesNotExist" 500 ours,
    /// Keys of the provider are in use.
    KeyProviderIsActive = "xKeyProviderIsActive" 500 ours,
    /// The provider has no key server.
    KeyProviderHasNoServer = "xKeyProviderHasNoServer" 500 ours,
    /// A key server cannot be reached.
    KmipConnectionFailed = "xKmipConnectionFailed" 500 ours,
    /// A key server and this cluster do not accept each other's certificates.
    KmipAuthenticationFailed = "xKmipAuthenticationFailed" 500 ours,
    /// A key server answered with an error.
    KmipServerError = "xKmipServerError" 500 ours,
    /// A certificate is not PEM, has expired or does not belong to the key pair.
    KmipCertificateInvalid = "xKmipCertificateInvalid" 500 ours,
    /// The servers of a provider hold different keys under one id.
    KeySyncConflict = "xKeySyncConflict" 500 ours,
    /// No such master key was ever in the ledger.
    MasterKeyDoesNotExist = "xMasterKeyDoesNotExist" 500 ours,
    /// Something depends on the master key.
    MasterKeyInUse = "xMasterKeyInUse" 500 ours,
    /// The rekey was called off.
    RekeyCancelled = "xRekeyCancelled" 500 ours,
    /// A rekey runs already.
    RekeyInProgress = "xRekeyInProgress" 500 ours,
    /// Software encryption at rest was not switched on when the cluster was created.
    SoftwareEncryptionNotEnabled = "xSoftwareEncryptionAtRestNotEnabled" 500 ours,
    /// The key provider has the key but does not give it out, or what it holds is damaged.
    KeyUnavailable = "xKeyUnavailable" 500 ours,
    /// The data path cannot do it now: the medium is lost or full of errors.
    VolumeUnavailable = "xVolumeUnavailable" 500 ours,
    /// Another process serves or changes the volume.
    VolumeInUse = "xVolumeInUse" 500 ours,
    /// Something is at the place that would be overwritten.
    PlaceOccupied = "xPlaceOccupied" 500 ours,
    /// The daemon may not use files at the place: its configuration does not name it.
    PlaceNotPermitted = "xPlaceNotPermitted" 500 ours,
    /// The passphrase does not open the volume.
    PassphraseWrong = "xPassphraseWrong" 500 ours,
    /// The call could not be recorded in the audit log, so it was not carried out.
    AuditLogUnavailable = "xAuditLogUnavailable" 500 ours,
}

/// Why a call failed, ready for the wire.
#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", name.as_str())]
pub struct ApiError {
    /// What to match on.
    pub name: ErrorName,
    /// What happened and what to do about it. Reaches the caller and the audit log: no secrets.
    pub message: String,
    /// The failure underneath; never sent.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl ApiError {
    /// An error without a cause of its own.
    pub fn new(name: ErrorName, message: impl Into<String>) -> Self {
        Self { name, message: message.into(), source: None }
    }

    /// The same with the failure underneath kept for the log.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_is_of_the_family_and_used_once() {
        let names: BTreeSet<&str> = ErrorName::ALL.iter().map(|name| name.as_str()).collect();
        assert_eq!(names.len(), ErrorName::ALL.len());
        for name in names {
            let rest = name.strip_prefix('x').expect("names begin with x");
            assert!(rest.starts_with(|first: char| first.is_ascii_uppercase()), "{name}");
        }
    }

    #[test]
    fn only_what_is_no_request_has_code_400() {
        let malformed = ErrorName::ALL.iter().filter(|name| name.code() == 400);
        assert_eq!(malformed.collect::<Vec<_>>(), [&ErrorName::InvalidRequest]);
    }
}
