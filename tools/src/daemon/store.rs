//! The store: on the metadata drives that are configured, else in the state directory. It stays open, and its directory is
//! this process's alone, as long as the daemon lives.

use std::path::PathBuf;
use std::sync::Arc;

use ekm_bridge::provider::{InternalProvider, RootKeyFile};
use ekm_bridge::records::{Records, Volume};
use ekm_bridge::store::replicated::{DirectoryDrive, Drive, FileWitness, RecoveryError, ReplicatedStore, StartError};
use ekm_bridge::store::{EmbeddedStore, ExclusiveStore, Snapshot, Store};
use ekm_bridge::{Node, StateDir, VolumeRecord};

use super::error::DaemonError;

/// What is remembered, and the internal keys in it.
pub(super) struct Opened {
    pub(super) store: Arc<dyn Store>,
    pub(super) drives: Option<Arc<ReplicatedStore>>,
    pub(super) internal: Arc<InternalProvider>,
}

/// The files and devices of volumes that do not lie in the data directory, and of those that this node knew before its
/// cluster.
pub(super) fn places(store: &Arc<dyn Store>) -> Result<Vec<PathBuf>, DaemonError> {
    let records = Records::new(Arc::clone(store));
    let sites = records.table::<Volume>().list()?.into_iter().filter_map(|volume| volume.site);
    let mut paths: Vec<PathBuf> = sites.flat_map(|site| [Some(site.data), site.header]).flatten().collect();
    for known in records.table::<VolumeRecord>().list()? {
        paths.extend([Some(known.path), known.header].into_iter().flatten());
    }
    Ok(paths)
}

/// Opens it, or makes it on a fresh node.
pub(super) fn open(dir: &StateDir, drives: &[PathBuf]) -> Result<Opened, DaemonError> {
    let source = || Box::new(RootKeyFile::new(dir.root_key_path()));
    let (store, drives): (Arc<dyn Store>, _) = match drives {
        [] => {
            // Makes a store on a fresh node, and finds out when one was lost.
            Node::open_with(dir.clone(), source()).map_err(DaemonError::Node)?;
            (Arc::new(ExclusiveStore::open(dir).map_err(DaemonError::Store)?), None)
        }
        paths => {
            if EmbeddedStore::exists(dir)? {
                tracing::warn!(
                    "the state is on the metadata drives; volumes and keys that this node keeps in its state directory are \
                     not taken over"
                );
            }
            let replicated = Arc::new(replicated(dir, paths)?);
            (Arc::clone(&replicated) as Arc<dyn Store>, Some(replicated))
        }
    };
    let internal = Arc::new(InternalProvider::new(Box::new(Arc::clone(&store)), source()));
    Ok(Opened { store, drives, internal })
}

/// The first drive makes a new store; the others join. Later starts open what there is, and a drive that is new joins.
fn replicated(dir: &StateDir, paths: &[PathBuf]) -> Result<ReplicatedStore, DaemonError> {
    let drives = || paths.iter().map(|path| Box::new(DirectoryDrive::new(path)) as Box<dyn Drive>);
    let witness = || Box::new(FileWitness::new(&dir.witness_path()));
    match ReplicatedStore::open(drives().collect(), witness()) {
        Ok(store) => Ok(store),
        Err(StartError::Recovery(RecoveryError::Fresh)) => make(drives(), witness()),
        Err(error) => Err(DaemonError::Drives(error)),
    }
}

fn make(
    mut drives: impl Iterator<Item = Box<dyn Drive>>,
    witness: Box<FileWitness>,
) -> Result<ReplicatedStore, DaemonError> {
    let Some(first) = drives.next() else { return Err(DaemonError::NoDrive) };
    let store = ReplicatedStore::create(first, witness, &Snapshot::default()).map_err(DaemonError::Drives)?;
    for drive in drives {
        store.add_drive(drive).map_err(DaemonError::Drive)?;
    }
    Ok(store)
}
