//! Failures of the layers below, as the API tells them.

use super::host::{HostError, HostErrorKind};
use crate::provider::external::{ServerError, SyncError};
use crate::provider::{ErrorKind, ProviderError};
use crate::records::key_management::Refusal;
use crate::records::{KeyManagementError, RecordError};
use crate::rpc::{ApiError, ErrorName};
use crate::store::StoreError;
use crate::store::replicated::DriveRefused;
use crate::trust::{KeyPairError, TrustError};

pub(super) fn api(name: ErrorName, source: impl std::error::Error + Send + Sync + 'static) -> ApiError {
    ApiError::new(name, source.to_string()).caused_by(source)
}

pub(super) fn of_store(error: StoreError) -> ApiError {
    let name = match &error {
        StoreError::Conflict { .. } => ErrorName::DbVersionMismatch,
        StoreError::Limit(_) => ErrorName::ExceededLimit,
        _ => ErrorName::DbConnectionLoss,
    };
    api(name, error)
}

pub(super) fn of_record(error: RecordError) -> ApiError {
    let name = match &error {
        RecordError::Store(_) => match error {
            RecordError::Store(error) => return of_store(error),
            _ => ErrorName::DbConnectionLoss,
        },
        RecordError::Absent { kind, .. } => absent(kind),
        RecordError::Contended => ErrorName::DbVersionMismatch,
        RecordError::IdsUsedUp(_) => ErrorName::ExceededLimit,
        RecordError::Damaged { .. } | RecordError::Exists { .. } | RecordError::Invalid { .. } => {
            ErrorName::AssertionFailure
        }
    };
    api(name, error)
}

fn absent(kind: &str) -> ErrorName {
    match kind {
        "key-server" => ErrorName::KeyServerDoesNotExist,
        "key-provider" => ErrorName::KeyProviderDoesNotExist,
        "api-volume" => ErrorName::VolumeDoesNotExist,
        "drive" => ErrorName::DriveDoesNotExist,
        "cluster" => ErrorName::ClusterDoesNotExist,
        _ => ErrorName::DbNoSuchPath,
    }
}

pub(super) fn of_rule(error: KeyManagementError) -> ApiError {
    let refusal = match error {
        KeyManagementError::Record(error) => return of_record(error),
        KeyManagementError::Refused(refusal) => refusal,
    };
    let name = match &refusal {
        Refusal::ProviderActive(_) => ErrorName::KeyProviderIsActive,
        Refusal::LastServer { .. } => ErrorName::LastKeyServerOfActiveProvider,
        Refusal::ServesAnother { .. } => ErrorName::KeyServerInUse,
        Refusal::NoServer(_) => ErrorName::KeyProviderHasNoServer,
        Refusal::KeyState { .. } => ErrorName::AssertionFailure,
    };
    api(name, refusal)
}

pub(super) fn of_provider(error: ProviderError) -> ApiError {
    let is_internal = error.provider == "internal";
    let name = if is_internal { ErrorName::KeyUnavailable } else { of_kind(error.kind) };
    api(name, error)
}

pub(super) fn of_server(error: ServerError) -> ApiError {
    api(of_kind(error.kind), error)
}

fn of_kind(kind: ErrorKind) -> ErrorName {
    match kind {
        ErrorKind::Unreachable => ErrorName::KmipConnectionFailed,
        ErrorKind::NotAuthenticated => ErrorName::KmipAuthenticationFailed,
        ErrorKind::Refused => ErrorName::KmipServerError,
        ErrorKind::Absent => ErrorName::KeyUnavailable,
    }
}

pub(super) fn of_sync(error: SyncError) -> ApiError {
    match error {
        SyncError::Provider(error) => of_provider(error),
        SyncError::Conflict { .. } => api(ErrorName::KeySyncConflict, error),
        SyncError::TooMany(_) => api(ErrorName::ExceededLimit, error),
        SyncError::Member(_) => api(ErrorName::AssertionFailure, error),
    }
}

pub(super) fn of_host(error: HostError) -> ApiError {
    let name = match error.kind {
        HostErrorKind::Full => ErrorName::ExceededLimit,
        HostErrorKind::WrongKey => ErrorName::KeyUnavailable,
        HostErrorKind::InUse => ErrorName::VolumeInUse,
        HostErrorKind::Occupied => ErrorName::PlaceOccupied,
        HostErrorKind::Unfit => ErrorName::InvalidParameter,
        HostErrorKind::Outside => ErrorName::PlaceNotPermitted,
        HostErrorKind::Absent | HostErrorKind::Failed => ErrorName::VolumeUnavailable,
    };
    api(name, error)
}

pub(super) fn of_trust(error: TrustError) -> ApiError {
    match error {
        TrustError::Store(error) => of_store(error),
        TrustError::KeyPair(KeyPairError::Subject(bad)) => api(ErrorName::InvalidParameter, bad),
        TrustError::Seal(error) => of_provider(error),
        TrustError::KeyPair(_) | TrustError::Damaged(_) => api(ErrorName::AssertionFailure, error),
    }
}

pub(super) fn of_drive(error: DriveRefused) -> ApiError {
    match error {
        DriveRefused::Store(error) => of_store(error),
        other => api(ErrorName::DriveNotAvailable, other),
    }
}
