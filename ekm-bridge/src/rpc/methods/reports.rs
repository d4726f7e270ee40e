//! Asynchronous results, faults, events.

use super::call::{Call, invalid};
use super::keys::nothing;
use super::row::{Method, method};
use crate::rpc::auth::Role;
use crate::rpc::control::Outcome;
use crate::rpc::types::async_results::{AsyncEntries, AsyncResult, GetAsyncResult, ListAsyncResults};
use crate::rpc::types::events::{Events, ListEvents};
use crate::rpc::types::faults::{ClearFaults, FaultFilter, Faults, ListFaults};

pub(super) const METHODS: &[Method] = &[
    method!("GetAsyncResult", (1, 0), Cluster, ReadOnly, Created, |call, params: GetAsyncResult| async_result(
        call, params
    )),
    method!("ListAsyncResults", (9, 0), Cluster, ReadOnly, Created, |call, params: ListAsyncResults| {
        let types = params.async_result_types.as_deref();
        call.control.async_results(types).map(|async_handles| AsyncEntries { async_handles })
    }),
    method!("ListClusterFaults", (1, 0), Cluster, ReadOnly, Created, |call, params: ListFaults| {
        call.control.faults(params).map(|faults| Faults { faults })
    }),
    method!("ClearClusterFaults", (1, 0), Cluster, Administrator, Created, |call, params: ClearFaults| {
        call.control.clear_faults(params.fault_types.unwrap_or(FaultFilter::Resolved)).map(nothing)
    }),
    method!("ListEvents", (1, 0), Cluster, ReadOnly, Created, |call, params: ListEvents| events(call, &params)),
];

/// A final result is given once. Who may only read must not take it from who waits for it.
fn async_result(call: &Call<'_>, params: GetAsyncResult) -> Outcome<AsyncResult> {
    let keep = params.keep_result.unwrap_or(false) || call.caller.role() == Some(Role::ReadOnly);
    call.control.async_result(params.async_handle, keep)
}

fn events(call: &Call<'_>, filter: &ListEvents) -> Outcome<Events> {
    if filter.max_events == Some(0) {
        return Err(invalid("parameter `maxEvents` is 0"));
    }
    let events = call.control.events(filter)?;
    Ok(Events { event_queue_type: "public".into(), events })
}
