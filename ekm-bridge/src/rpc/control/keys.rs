//! Keys: the cluster's key pair, key servers and providers, the master key, drive passwords.

use super::Outcome;
use crate::rpc::types::key_providers::{AddKeyServer, KeyProviderKmip, ListKeyProviders};
use crate::rpc::types::key_servers::{CreateKeyServer, KeyServerKmip, ListKeyServers, ModifyKeyServer};
use crate::rpc::types::sear::{RekeyMasterKey, SearInfo};
use crate::rpc::types::sed::EncryptionInfo;
use crate::rpc::types::trust::CreateKeyPair;
use crate::rpc::types::{AsyncHandleId, KeyProviderId, KeyServerId};

/// The cluster's key pair towards key servers.
pub trait KeyPair {
    /// Makes a key pair, replacing the one there was.
    ///
    /// # Errors
    /// `xKeyPairInUse` while a server of an active provider is reached with the present one.
    fn create_key_pair(&self, subject: &CreateKeyPair) -> Outcome<()>;

    /// A PKCS#10 request in PEM for the key pair.
    ///
    /// # Errors
    /// `xKeyPairDoesNotExist`.
    fn sign_request(&self) -> Outcome<String>;
}

/// Key servers.
pub trait KeyServers {
    /// Records a server without contacting it.
    ///
    /// # Errors
    /// `xKmipCertificateInvalid` when a certificate cannot be read, `xExceededLimit`.
    fn create_key_server(&self, new: CreateKeyServer) -> Outcome<KeyServerKmip>;

    /// Changes a server after a contact showed that it works with the new values; without values nothing is done.
    ///
    /// # Errors
    /// `xKeyServerDoesNotExist`, `xKmipCertificateInvalid`, and as [`Self::test_key_server`].
    fn modify_key_server(&self, change: ModifyKeyServer) -> Outcome<KeyServerKmip>;

    /// The server.
    ///
    /// # Errors
    /// `xKeyServerDoesNotExist`.
    fn key_server(&self, id: KeyServerId) -> Outcome<KeyServerKmip>;

    /// Servers that [`ListKeyServers::matches`], in the order of their ids.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn key_servers(&self, filter: ListKeyServers) -> Outcome<Vec<KeyServerKmip>>;

    /// Forgets a server.
    ///
    /// # Errors
    /// `xKeyServerDoesNotExist`, `xLastKeyServerOfActiveProvider`.
    fn delete_key_server(&self, id: KeyServerId) -> Outcome<()>;

    /// Contacts a server, assigned or not.
    ///
    /// # Errors
    /// `xKeyServerDoesNotExist`, `xKmipConnectionFailed`, `xKmipAuthenticationFailed`, `xKmipServerError`.
    fn test_key_server(&self, id: KeyServerId) -> Outcome<()>;
}

/// Key providers.
pub trait KeyProviders {
    /// Makes an inactive provider without servers.
    ///
    /// # Errors
    /// `xExceededLimit`.
    fn create_key_provider(&self, name: String) -> Outcome<KeyProviderKmip>;

    /// The provider.
    ///
    /// # Errors
    /// `xKeyProviderDoesNotExist`.
    fn key_provider(&self, id: KeyProviderId) -> Outcome<KeyProviderKmip>;

    /// Providers that [`ListKeyProviders::matches`], in the order of their ids.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn key_providers(&self, filter: ListKeyProviders) -> Outcome<Vec<KeyProviderKmip>>;

    /// Forgets an inactive provider; its servers stay, unassigned.
    ///
    /// # Errors
    /// `xKeyProviderDoesNotExist`, `xKeyProviderIsActive`.
    fn delete_key_provider(&self, id: KeyProviderId) -> Outcome<()>;

    /// Contacts every server of a provider.
    ///
    /// # Errors
    /// `xKeyProviderDoesNotExist`, `xKeyProviderHasNoServer`, and as [`KeyServers::test_key_server`].
    fn test_key_provider(&self, id: KeyProviderId) -> Outcome<()>;

    /// Contacts a server, copies keys so that all servers of the provider hold the same, and assigns it. Already
    /// assigned to this provider: nothing is done.
    ///
    /// # Errors
    /// `xKeyProviderDoesNotExist`, `xKeyServerDoesNotExist`, `xKeyServerInUse` by another provider,
    /// `xKeySyncConflict`, and as [`KeyServers::test_key_server`].
    fn add_key_server(&self, assignment: AddKeyServer) -> Outcome<()>;

    /// Takes a server from its provider. Not assigned: nothing is done.
    ///
    /// # Errors
    /// `xKeyServerDoesNotExist`, `xLastKeyServerOfActiveProvider`.
    fn remove_key_server(&self, server: KeyServerId) -> Outcome<()>;
}

/// Software encryption at rest.
pub trait SoftwareEncryption {
    /// Its state and master key.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn sear_info(&self) -> Outcome<SearInfo>;

    /// Begins to replace the master key by a new one and returns at once.
    ///
    /// # Errors
    /// `xSoftwareEncryptionAtRestNotEnabled`, `xRekeyInProgress`, `xKeyProviderDoesNotExist`,
    /// `xKeyProviderHasNoServer`; what fails later is in the asynchronous result.
    fn rekey_master_key(&self, order: RekeyMasterKey) -> Outcome<AsyncHandleId>;

    /// Calls the running rekey off: the old key is in force, and the new one is destroyed. Ours.
    ///
    /// # Errors
    /// `xDBNoSuchPath` when none runs, `xRekeyInProgress` once a volume is wrapped by the new key.
    fn cancel_rekey(&self) -> Outcome<AsyncHandleId>;
}

/// Hardware encryption at rest.
pub trait HardwareEncryption {
    /// Sets passwords on all drives; from `provider` if given.
    ///
    /// # Errors
    /// `xAPINotPermitted` without self-encrypting drives, `xKeyProviderDoesNotExist`, `xKeyProviderHasNoServer`.
    fn enable_encryption(&self, provider: Option<KeyProviderId>) -> Outcome<()>;

    /// Takes the passwords away.
    ///
    /// # Errors
    /// `xAPINotPermitted` without self-encrypting drives.
    fn disable_encryption(&self) -> Outcome<()>;

    /// How far it is, and the key behind it.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn encryption_info(&self) -> Outcome<EncryptionInfo>;
}
