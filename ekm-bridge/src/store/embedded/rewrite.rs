//! Putting a store's file anew and overwriting the one that was there.
//!
//! redb writes beside what is in force, so a value that was deleted stays in the file until its page is used again. Here
//! the whole file goes:
//!
//! | after | on the medium | the next call |
//! |---|---|---|
//! | 1 a second name `state.redb.old` for the file | one file, two names | takes the second name away, begins again |
//! | 2 the new file in its place | the new file; the old one as `state.redb.old` | overwrites the old one, then begins again |
//! | 3 the old file overwritten and synced | the same, zeros | the same |
//! | 4 the name `state.redb.old` gone | the new file | |
//!
//! What a file system or a flash device keeps of overwritten blocks is beyond this (docs/rekey.md).

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::EmbeddedStore;
use crate::private_file;
use crate::state_dir::{StateDir, StateError, StateLock};
use crate::store::{Snapshot, StoreError};

/// Makes `snapshot` the contents of the store of `dir`, and overwrites the file that was there.
pub(crate) fn rewrite(dir: &StateDir, lock: &StateLock, snapshot: &Snapshot) -> Result<(), StoreError> {
    let (path, old) = names(dir);
    finish(&path, &old).map_err(StateError::io("overwrite", &old))?;
    fs::hard_link(&path, &old).and_then(|()| private_file::sync_parent(&path)).map_err(StateError::io("keep", &old))?;
    EmbeddedStore::replace(dir, lock, snapshot)?;
    finish(&path, &old).map_err(StateError::io("overwrite", &old))?;
    Ok(())
}

fn names(dir: &StateDir) -> (PathBuf, PathBuf) {
    let path = dir.store_path();
    let old = path.with_extension("redb.old");
    (path, old)
}

/// Ends what an earlier call began: `old` is a second name of the store itself, or a file to be overwritten.
fn finish(path: &Path, old: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(old) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    let store = fs::symlink_metadata(path)?;
    if (found.dev(), found.ino()) != (store.dev(), store.ino()) {
        private_file::overwrite(&mut OpenOptions::new().write(true).open(old)?)?;
    }
    fs::remove_file(old)?;
    private_file::sync_parent(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{EmbeddedStore, ExclusiveStore, Store, Transaction};

    const SECRET: &[u8] = b"wrapped master key, forty bytes of it...";

    fn dir() -> (tempfile::TempDir, StateDir) {
        let temp = tempfile::tempdir().unwrap();
        let dir = StateDir::open(temp.path()).unwrap();
        EmbeddedStore::create(&dir, &dir.lock().unwrap()).unwrap();
        (temp, dir)
    }

    fn has(path: &Path, needle: &[u8]) -> bool {
        fs::read(path).unwrap().windows(needle.len()).any(|window| window == needle)
    }

    fn put_and_delete(store: &dyn Store) {
        store.commit(&Transaction::new().put("kept", b"kept value".to_vec()).put("key", SECRET.to_vec())).unwrap();
        store.commit(&Transaction::new().delete("key")).unwrap();
    }

    #[test]
    fn a_deleted_value_stays_in_the_file_until_the_store_is_scrubbed() {
        let (_temp, dir) = dir();
        let store = ExclusiveStore::open(&dir).unwrap();
        put_and_delete(&store);
        assert!(has(&dir.store_path(), SECRET), "otherwise this test shows nothing");
        // A second name keeps the file that is given up in sight.
        let witness = dir.path().join("witness");
        fs::hard_link(dir.store_path(), &witness).unwrap();
        assert_eq!(store.scrub().unwrap().len(), 1);
        assert!(!has(&dir.store_path(), SECRET) && !has(&witness, SECRET));
        assert_eq!(store.get("kept").unwrap().unwrap().value, b"kept value");
        store.commit(&Transaction::new().put("more", vec![1])).unwrap();
        drop(store);
        assert!(ExclusiveStore::open(&dir).unwrap().get("more").unwrap().is_some());
    }

    #[test]
    fn a_store_that_is_opened_for_each_transaction_is_scrubbed_too() {
        let (_temp, dir) = dir();
        let store = EmbeddedStore::open(&dir).unwrap();
        put_and_delete(&store);
        store.scrub().unwrap();
        assert!(!has(&dir.store_path(), SECRET));
        assert!(store.get("kept").unwrap().is_some() && store.get("key").unwrap().is_none());
    }

    #[test]
    fn a_crash_after_any_step_loses_nothing_and_the_next_call_overwrites() {
        for crash in 1..=3 {
            let (_temp, dir) = dir();
            let store = EmbeddedStore::open(&dir).unwrap();
            put_and_delete(&store);
            let (path, old) = names(&dir);
            fs::hard_link(&path, &old).unwrap();
            if crash >= 2 {
                let snapshot = ExclusiveStore::open(&dir).unwrap().snapshot().unwrap();
                EmbeddedStore::replace(&dir, &dir.lock().unwrap(), &snapshot).unwrap();
            }
            if crash >= 3 {
                private_file::overwrite(&mut OpenOptions::new().write(true).open(&old).unwrap()).unwrap();
            }
            let witness = dir.path().join("witness");
            fs::hard_link(&old, &witness).unwrap();
            assert!(store.get("kept").unwrap().is_some(), "crash after step {crash}");
            store.scrub().unwrap();
            assert!(store.get("kept").unwrap().is_some() && !old.exists(), "crash after step {crash}");
            assert!(!has(&path, SECRET) && !has(&witness, SECRET), "crash after step {crash}");
        }
    }
}
