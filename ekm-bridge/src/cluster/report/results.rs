//! Results of work that goes on after a reply, as the API shows them.

use serde_json::{Map, Value};

use crate::cluster::control::ClusterControl;
use crate::cluster::errors::of_record;
use crate::records::{self, AsyncHandle, AsyncState};
use crate::rpc::control::{AsyncResults, Outcome};
use crate::rpc::types::async_results::{
    AsyncEntry, AsyncError, AsyncOutcome, AsyncResult, AsyncResultType, AsyncStatus,
};
use crate::rpc::types::{AsyncHandleId, Timestamp};
use crate::rpc::{ApiError, ErrorName};

impl AsyncResults for ClusterControl {
    fn async_result(&self, id: AsyncHandleId, keep: bool) -> Outcome<AsyncResult> {
        let taken = records::AsyncResults::new(&self.records).take(AsyncHandle(id.0), keep).map_err(of_record)?;
        match taken {
            Some(result) => show(result),
            None => Err(ApiError::new(ErrorName::DbNoSuchPath, format!("there is no /asyncresults/{id}"))),
        }
    }

    fn async_results(&self, types: Option<&[AsyncResultType]>) -> Outcome<Vec<AsyncEntry>> {
        let kinds: Vec<&str> = types.unwrap_or_default().iter().map(|kind| kind.as_str()).collect();
        if types.is_some() && kinds.is_empty() {
            return Ok(Vec::new());
        }
        let results = records::AsyncResults::new(&self.records).list(&kinds).map_err(of_record)?;
        results.into_iter().map(entry).collect()
    }
}

fn show(result: records::AsyncResult) -> Outcome<AsyncResult> {
    Ok(AsyncResult {
        status: if result.state.is_final() { AsyncStatus::Complete } else { AsyncStatus::Running },
        create_time: Timestamp(result.created),
        last_update_time: Timestamp(result.updated),
        result_type: kind(&result)?,
        outcome: match result.state {
            AsyncState::Running(details) => AsyncOutcome::Details(details),
            AsyncState::Succeeded(value) => AsyncOutcome::Result(value),
            AsyncState::Failed { name, message } => AsyncOutcome::Error(AsyncError { name, message }),
        },
    })
}

fn entry(result: records::AsyncResult) -> Outcome<AsyncEntry> {
    Ok(AsyncEntry {
        id: AsyncHandleId(result.handle.0),
        completed: result.state.is_final(),
        create_time: Timestamp(result.created),
        last_update_time: Timestamp(result.updated),
        result_type: kind(&result)?,
        success: matches!(result.state, AsyncState::Succeeded(_)),
        data: match result.state {
            AsyncState::Running(Value::Object(data)) | AsyncState::Succeeded(Value::Object(data)) => data,
            _ => Map::new(),
        },
    })
}

fn kind(result: &records::AsyncResult) -> Outcome<AsyncResultType> {
    let known = AsyncResultType::ALL.iter().copied().find(|kind| kind.as_str() == result.kind);
    let unknown = || ApiError::new(ErrorName::AssertionFailure, format!("the work {} is unknown", result.kind));
    known.ok_or_else(unknown)
}
