//! The event log, as the API shows it.

use serde_json::Value;

use super::id;
use crate::cluster::control::ClusterControl;
use crate::cluster::errors::of_record;
use crate::records::{Event, EventLog, EventQuery};
use crate::rpc::control::{Events, Outcome};
use crate::rpc::types::events::{EventInfo, ListEvents};
use crate::rpc::types::{DriveId, EventId, NodeId, ServiceId, Timestamp};

impl Events for ClusterControl {
    fn events(&self, filter: &ListEvents) -> Outcome<Vec<EventInfo>> {
        let events = EventLog::new(&self.records).query(&EventQuery::default()).map_err(of_record)?;
        let mut shown: Vec<EventInfo> = events.iter().map(show).filter(|event| filter.matches(event)).collect();
        let limit = filter.max_events.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        Ok(shown.split_off(shown.len().saturating_sub(limit)))
    }
}

fn show(event: &Event) -> EventInfo {
    let drive = DriveId(id(&event.what.ids, "driveID"));
    EventInfo {
        id: EventId(event.id.0),
        severity: 0,
        event_info_type: event.what.kind.clone(),
        message: event.what.message.clone(),
        service: ServiceId(id(&event.what.ids, "serviceID")),
        node: NodeId(id(&event.what.ids, "nodeID")),
        drive,
        drives: if drive == DriveId(0) { Vec::new() } else { vec![drive] },
        time_of_report: Timestamp(event.time),
        time_of_publish: Timestamp(event.time),
        details: Some(event.what.details.clone()).filter(|details| *details != Value::Null),
    }
}
