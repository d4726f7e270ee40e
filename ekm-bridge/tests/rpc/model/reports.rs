//! Asynchronous results, faults, events.

use ekm_bridge::rpc::ErrorName;
use ekm_bridge::rpc::control::{AsyncResults, Events, Faults, Outcome};
use ekm_bridge::rpc::types::async_results::{AsyncEntry, AsyncOutcome, AsyncResult, AsyncResultType, AsyncStatus};
use ekm_bridge::rpc::types::events::{EventInfo, ListEvents};
use ekm_bridge::rpc::types::faults::{ClusterFaultInfo, FaultFilter, FaultSeverity, FaultType, ListFaults};
use ekm_bridge::rpc::types::{AsyncHandleId, FaultId, Timestamp};

use super::{Model, NODE, Work, fail};

impl AsyncResults for Model {
    fn async_result(&self, id: AsyncHandleId, keep: bool) -> Outcome<AsyncResult> {
        let mut state = self.state();
        let Some(work) = state.work.get_mut(&id) else {
            return fail(ErrorName::DbNoSuchPath, format!("DBClient operation failed: path /asyncresults/{id}"));
        };
        let is_final = work.steps.len() == 1;
        let outcome = if is_final { work.steps[0].clone() } else { work.steps.remove(0) };
        let result = AsyncResult {
            status: if is_final { AsyncStatus::Complete } else { AsyncStatus::Running },
            create_time: work.created,
            last_update_time: Timestamp::now(),
            result_type: work.kind,
            outcome,
        };
        if is_final && !keep {
            state.work.remove(&id);
        }
        Ok(result)
    }

    fn async_results(&self, types: Option<&[AsyncResultType]>) -> Outcome<Vec<AsyncEntry>> {
        let state = self.state();
        let wanted = state.work.iter().filter(|(_, work)| types.is_none_or(|types| types.contains(&work.kind)));
        Ok(wanted.map(|(id, work)| entry(*id, work)).collect())
    }
}

fn entry(id: AsyncHandleId, work: &Work) -> AsyncEntry {
    AsyncEntry {
        id,
        completed: work.steps.len() == 1,
        create_time: work.created,
        last_update_time: Timestamp::now(),
        result_type: work.kind,
        success: matches!(work.steps.as_slice(), [AsyncOutcome::Result(_)]),
        data: serde_json::Map::new(),
    }
}

impl Faults for Model {
    fn faults(&self, filter: ListFaults) -> Outcome<Vec<ClusterFaultInfo>> {
        Ok(self.state().faults.iter().rev().filter(|fault| filter.matches(fault)).cloned().collect())
    }

    fn clear_faults(&self, which: FaultFilter) -> Outcome<()> {
        self.state().faults.retain(|fault| !which.matches(fault));
        Ok(())
    }
}

impl Events for Model {
    fn events(&self, filter: &ListEvents) -> Outcome<Vec<EventInfo>> {
        let state = self.state();
        let found: Vec<EventInfo> = state.events.iter().filter(|event| filter.matches(event)).cloned().collect();
        let max = filter.max_events.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
        Ok(found[found.len().saturating_sub(max)..].to_vec())
    }
}

impl Model {
    /// Reports a fault, as something other than the API would.
    pub(crate) fn add_fault(&self, code: &str, severity: FaultSeverity, resolved: bool) {
        let mut state = self.state();
        let id = FaultId(state.next_id());
        state.faults.push(ClusterFaultInfo {
            id,
            code: code.into(),
            kind: FaultType::Cluster,
            severity,
            details: format!("{code} for a test"),
            date: Timestamp::now(),
            resolved,
            resolved_date: if resolved { Timestamp::now().to_string() } else { String::new() },
            node: NODE,
            service: Default::default(),
            drive: Default::default(),
            node_hardware_fault: 0,
            drives: None,
            network_interface: None,
            data: None,
            external_source: None,
            blocks_upgrade: false,
        });
    }
}
