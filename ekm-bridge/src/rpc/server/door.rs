//! The certificate that is shown to whoever connects next.

use std::sync::{PoisonError, RwLock};

use tokio_rustls::TlsAcceptor;

use super::{Identity, IdentityError};

/// See the module. Looked at once for each connection.
pub(super) struct Door(RwLock<TlsAcceptor>);

impl Door {
    pub(super) fn new(identity: Identity) -> Result<Self, IdentityError> {
        Ok(Self(RwLock::new(identity.acceptor()?)))
    }

    /// Another certificate; what cannot be used changes nothing.
    pub(super) fn change(&self, identity: Identity) -> Result<(), IdentityError> {
        let acceptor = identity.acceptor()?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
        Ok(())
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
