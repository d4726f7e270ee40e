//! Everything a command needs of this crate, opened in the one order that tells a fresh node from a damaged one.
//!
//! The store is made before the root key, and the root key before the first master key. So a root key without a store,
//! or master keys without a root key, can only mean that something was taken away, and is refused.

use std::path::Path;

use crate::provider::{InternalProvider, RootKeyError, RootKeyFile, RootKeySource};
use crate::records::registry::VolumeRegistry;
use crate::state_dir::{StateDir, StateError};
use crate::store::{EmbeddedStore, StoreError};

/// A node's state: its directory, store and internal key provider.
pub struct Node {
    dir: StateDir,
    store: EmbeddedStore,
    provider: InternalProvider,
}

/// Why a node's state cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The directory cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The root key cannot be used.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// The store with the master keys has disappeared.
    #[error(
        "there is a root key ({root_key}) but no store ({store}): the store with the master keys was lost. Restore it \
         from a backup, or move the root key away to start without those keys"
    )]
    StoreLost {
        /// Where the root key is.
        root_key: String,
        /// Where the store should be.
        store: String,
    },
}

impl Node {
    /// Opens the state directory at `path` with the root key in a file beside the store, creating what is missing on
    /// a fresh node.
    ///
    /// # Errors
    /// When anything is unreadable, readable by others, or lost.
    pub fn open(path: &Path) -> Result<Self, NodeError> {
        let dir = StateDir::open(path)?;
        let source = RootKeyFile::new(dir.root_key_path());
        Self::open_with(dir, Box::new(source))
    }

    /// Opens a state directory with a root key from elsewhere.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(dir: StateDir, source: Box<dyn RootKeySource>) -> Result<Self, NodeError> {
        let lock = dir.lock()?;
        if !EmbeddedStore::exists(&dir)? {
            refuse_lost_store(&dir, source.as_ref())?;
            EmbeddedStore::create(&dir, &lock)?;
        }
        drop(lock);
        let store = EmbeddedStore::open(&dir)?;
        let provider = InternalProvider::new(Box::new(store.clone()), source);
        Ok(Self { dir, store, provider })
    }

    /// The state directory.
    #[must_use]
    pub fn dir(&self) -> &StateDir {
        &self.dir
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &EmbeddedStore {
        &self.store
    }

    /// The built-in key provider.
    #[must_use]
    pub fn provider(&self) -> &InternalProvider {
        &self.provider
    }

    /// The volumes this node knows.
    #[must_use]
    pub fn volumes(&self) -> VolumeRegistry<'_> {
        VolumeRegistry::new(&self.store)
    }
}

fn refuse_lost_store(dir: &StateDir, source: &dyn RootKeySource) -> Result<(), NodeError> {
    match source.load() {
        Err(RootKeyError::Absent(_)) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => {
            Err(NodeError::StoreLost { root_key: source.describe(), store: dir.store_path().display().to_string() })
        }
    }
}
