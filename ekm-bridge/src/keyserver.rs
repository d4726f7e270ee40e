//! A key server: its address, who we are to it, and the master keys on it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::kmip::enums::QueryFunction;
use crate::kmip::ops::{Query, ServerDescription};
use crate::kmip::{Client, Credential, KmipError, MasterKeys, ProtocolVersion};
use crate::transport::{Connection, ServerConfig, TlsIdentity};

/// How a key server is reached, and who we are to it.
pub struct Access {
    /// Its addresses and time-outs.
    pub server: ServerConfig,
    /// Its authorities, our certificate.
    pub identity: TlsIdentity,
    /// User name and password, if the certificate is not enough.
    pub credential: Option<Credential>,
    /// The version to speak, for a server whose own choice does not work; else it is asked.
    pub version: Option<ProtocolVersion>,
}

/// One key server, for every thread that needs it. Requests go one after the other over one connection.
pub struct KeyServer {
    name: String,
    keys: Mutex<MasterKeys<Connection>>,
}

impl KeyServer {
    /// The server behind `access`. Nothing is asked yet.
    #[must_use]
    pub fn new(access: Access) -> Self {
        let name = access.server.name.clone();
        Self { name, keys: Mutex::new(master_keys(access)) }
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
    pub fn replace(&self, access: Access) -> Result<(), KmipError> {
        let mut keys = master_keys(access);
        ask(&mut keys)?;
        *self.keys() = keys;
        Ok(())
    }
}

fn master_keys(access: Access) -> MasterKeys<Connection> {
    let Access { server, identity, credential, version } = access;
    let client = Client::new(Connection::new(server, identity));
    MasterKeys::new(client.with_credential(credential).with_version(version))
}

fn ask(keys: &mut MasterKeys<Connection>) -> Result<(ProtocolVersion, ServerDescription), KmipError> {
    let client = keys.client();
    let version = client.version()?;
    let functions =
        vec![QueryFunction::QUERY_OPERATIONS, QueryFunction::QUERY_OBJECTS, QueryFunction::QUERY_SERVER_INFORMATION];
    Ok((version, client.call(&Query { functions })?))
}
