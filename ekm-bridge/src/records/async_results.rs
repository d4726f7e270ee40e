//! Results of work that goes on after its call has returned.
//!
//! ```text
//! begin ──▶ Running ──progress──▶ Running ──finish──▶ Succeeded | Failed ──take──▶ gone
//!                                                                   └──take, kept──▶ (stays)
//! ```

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::id::counted_id;
use super::record::Record;
use super::{RecordError, Records};
use crate::time::UnixSeconds;

counted_id! {
    /// What the caller of an asynchronous method gets.
    pub AsyncHandle
}

/// One result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsyncResult {
    /// Its handle.
    pub handle: AsyncHandle,
    /// The kind of work, in the words of the API.
    pub kind: String,
    /// When the work began.
    pub created: UnixSeconds,
    /// When it last told something.
    pub updated: UnixSeconds,
    /// How far it is.
    pub state: AsyncState,
}

/// How far the work is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum AsyncState {
    /// It goes on; what it last told.
    Running(Value),
    /// It is done; its result.
    Succeeded(Value),
    /// It failed.
    Failed {
        /// The error's name in the API.
        name: String,
        /// What happened.
        message: String,
    },
}

impl AsyncState {
    /// Whether nothing more will come.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Running(_))
    }
}

impl Record for AsyncResult {
    const KIND: &'static str = "async-result";
    type Id = AsyncHandle;

    fn id(&self) -> AsyncHandle {
        self.handle
    }
}

/// The results of a cluster.
#[derive(Clone, Copy)]
pub struct AsyncResults<'a> {
    records: &'a Records,
}

impl<'a> AsyncResults<'a> {
    /// The results among these records.
    #[must_use]
    pub fn new(records: &'a Records) -> Self {
        Self { records }
    }

    /// Records that work of this kind began.
    ///
    /// # Errors
    /// When the store fails.
    pub fn begin(&self, kind: &str, now: UnixSeconds) -> Result<AsyncHandle, RecordError> {
        let state = AsyncState::Running(Value::Null);
        let make = |handle| AsyncResult { handle, kind: kind.into(), created: now, updated: now, state: state.clone() };
        Ok(self.records.table().insert(make)?.handle)
    }

    /// Records what running work tells.
    ///
    /// # Errors
    /// When there is no such result, it is final, or the store fails.
    pub fn progress(&self, handle: AsyncHandle, details: &Value, now: UnixSeconds) -> Result<(), RecordError> {
        self.advance(handle, AsyncState::Running(details.clone()), now)
    }

    /// Records how the work ended. Only the first end counts.
    ///
    /// # Errors
    /// As [`Self::progress`].
    pub fn finish(&self, handle: AsyncHandle, end: AsyncState, now: UnixSeconds) -> Result<(), RecordError> {
        self.advance(handle, end, now)
    }

    /// The result called `handle`. A final one is handed out once: unless `keep` is set, it is gone afterwards.
    ///
    /// # Errors
    /// When the store fails.
    pub fn take(&self, handle: AsyncHandle, keep: bool) -> Result<Option<AsyncResult>, RecordError> {
        if keep {
            return self.records.table().get(handle);
        }
        self.records.transact(|work| {
            let Some(result) = work.get::<AsyncResult>(handle)? else { return Ok(None) };
            if result.state.is_final() {
                work.delete::<AsyncResult>(handle)?;
            }
            Ok(Some(result))
        })
    }

    /// All results of these kinds, or of any when none is named. Nothing is handed out by it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list(&self, kinds: &[&str]) -> Result<Vec<AsyncResult>, RecordError> {
        let mut results = self.records.table::<AsyncResult>().list()?;
        results.retain(|result| kinds.is_empty() || kinds.contains(&result.kind.as_str()));
        Ok(results)
    }

    fn advance(&self, handle: AsyncHandle, state: AsyncState, now: UnixSeconds) -> Result<(), RecordError> {
        self.records.transact(|work| {
            let before = work.need::<AsyncResult>(handle)?;
            if before.state.is_final() {
                let reason = format!("the work {handle} has ended already");
                return Err(RecordError::Invalid { kind: AsyncResult::KIND, reason });
            }
            work.put(&AsyncResult { state: state.clone(), updated: now, ..before })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::MemoryStore;

    #[test]
    fn a_final_result_is_handed_out_once_unless_it_is_kept() {
        let records = Records::new(Arc::new(MemoryStore::new()));
        let results = AsyncResults::new(&records);
        let handle = results.begin("DriveAdd", UnixSeconds(1)).unwrap();
        results.progress(handle, &"half".into(), UnixSeconds(2)).unwrap();
        for keep in [false, true, false] {
            let running = results.take(handle, keep).unwrap().unwrap();
            assert_eq!((running.state, running.updated), (AsyncState::Running("half".into()), UnixSeconds(2)));
        }
        let end = AsyncState::Succeeded(7.into());
        results.finish(handle, end.clone(), UnixSeconds(3)).unwrap();
        assert_eq!(results.take(handle, true).unwrap().unwrap().state, end);
        assert_eq!(results.list(&["DriveAdd"]).unwrap().len(), 1);
        assert!(results.list(&["Clone"]).unwrap().is_empty());
        assert_eq!(results.take(handle, false).unwrap().unwrap().state, end);
        assert_eq!(results.take(handle, false).unwrap(), None);
        assert_ne!(results.begin("DriveAdd", UnixSeconds(4)).unwrap(), handle, "a handle is never given again");
    }

    #[test]
    fn only_the_first_end_counts() {
        let records = Records::new(Arc::new(MemoryStore::new()));
        let results = AsyncResults::new(&records);
        let handle = results.begin("Clone", UnixSeconds(1)).unwrap();
        let end = AsyncState::Failed { name: "xError".into(), message: "no".into() };
        results.finish(handle, end.clone(), UnixSeconds(2)).unwrap();
        results.finish(handle, AsyncState::Succeeded(Value::Null), UnixSeconds(3)).unwrap_err();
        results.progress(handle, &Value::Null, UnixSeconds(3)).unwrap_err();
        assert_eq!(results.take(handle, true).unwrap().unwrap().state, end);
        results.progress(AsyncHandle(99), &Value::Null, UnixSeconds(3)).unwrap_err();
    }
}
