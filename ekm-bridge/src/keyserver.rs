//! A key server: its address, who we are to it, and the master keys on it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::kmip::enums::QueryFunction;
use crate::kmip::ops::{Query, ServerDescription};
use crate::kmip::{Client, Credential, KmipError, MasterKeys, ProtocolVersion};
use crate::transport::{Connection, ServerConfig, TlsIdentity};

/// One key server, for every thread that needs it. Requests go one after the other over one connection.
pub struct KeyServer {
    name: String,
    keys: Mutex<MasterKeys<Connection>>,
}

impl KeyServer {
    /// The server behind this configuration. Nothing is asked yet.
    #[must_use]
    pub fn new(config: ServerConfig, identity: TlsIdentity, credential: Option<Credential>) -> Self {
        let name = config.name.clone();
        Self { name, keys: Mutex::new(master_keys(config, identity, credential)) }
    }

    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its master keys, for one caller at a time.
    ///
    /// A caller that panicked leaves a connection that may be in the middle of an answer; that is closed.
    pub fn keys(&self) -> MutexGuard<'_, MasterKeys<Connection>> {
        self.keys.lock().unwrap_or_else(|poisoned| {
            self.keys.clear_poison();
            let mut keys = PoisonError::into_inner(poisoned);
            keys.client().exchange_mut().close();
            keys
        })
    }

    /// Asks the server for its version and what it can do.
    ///
    /// # Errors
    /// When it does not answer, does not accept us, or has no version in common with us.
    pub fn check(&self) -> Result<(ProtocolVersion, ServerDescription), KmipError> {
        ask(&mut self.keys())
    }

    /// Changes how the server is reached or who we are to it, such as for a renewed certificate. The new way is tried
    /// before the old one is given up; when it does not work, nothing has changed.
    ///
    /// # Errors
    /// When the server cannot be used in the new way.
    pub fn replace(
        &self,
        config: ServerConfig,
        identity: TlsIdentity,
        credential: Option<Credential>,
    ) -> Result<(), KmipError> {
        let mut keys = master_keys(config, identity, credential);
        ask(&mut keys)?;
        *self.keys() = keys;
        Ok(())
    }
}

fn master_keys(config: ServerConfig, identity: TlsIdentity, credential: Option<Credential>) -> MasterKeys<Connection> {
    MasterKeys::new(Client::new(Connection::new(config, identity)).with_credential(credential))
}

fn ask(keys: &mut MasterKeys<Connection>) -> Result<(ProtocolVersion, ServerDescription), KmipError> {
    let client = keys.client();
    let version = client.version()?;
    let functions =
        vec![QueryFunction::QUERY_OPERATIONS, QueryFunction::QUERY_OBJECTS, QueryFunction::QUERY_SERVER_INFORMATION];
    Ok((version, client.call(&Query { functions })?))
}
