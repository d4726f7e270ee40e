//! The event log.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DriveId, EventId, NodeId, ServiceId, Timestamp};

/// `EventInfo`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventInfo {
    /// Rises with every event.
    #[serde(rename = "eventID")]
    pub id: EventId,
    /// Not used by any client; 0.
    pub severity: u64,
    /// The kind, such as `encryptionAtRestEvent` or `apiEvent`.
    pub event_info_type: String,
    /// What happened, for people.
    pub message: String,
    /// 0 when no service is meant.
    #[serde(rename = "serviceID")]
    pub service: ServiceId,
    /// 0 when no node is meant.
    #[serde(rename = "nodeID")]
    pub node: NodeId,
    /// 0 when no drive is meant.
    #[serde(rename = "driveID")]
    pub drive: DriveId,
    /// All drives that are meant.
    #[serde(rename = "driveIDs")]
    pub drives: Vec<DriveId>,
    /// When it happened.
    pub time_of_report: Timestamp,
    /// When it reached the log.
    pub time_of_publish: Timestamp,
    /// What else a program may want to know.
    pub details: Option<Value>,
}

/// Parameters of `ListEvents`: what is not given does not filter, what is given combines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListEvents {
    /// At most so many, the newest.
    pub max_events: Option<u64>,
    /// The first id.
    #[serde(rename = "startEventID")]
    pub start_event: Option<EventId>,
    /// The last id.
    #[serde(rename = "endEventID")]
    pub end_event: Option<EventId>,
    /// Only of this kind.
    pub event_type: Option<String>,
    /// Only about this service.
    #[serde(rename = "serviceID")]
    pub service: Option<ServiceId>,
    /// Only about this node.
    #[serde(rename = "nodeID")]
    pub node: Option<NodeId>,
    /// Only about this drive.
    #[serde(rename = "driveID")]
    pub drive: Option<DriveId>,
    /// Happened at this time or later.
    pub start_report_time: Option<Timestamp>,
    /// Happened at this time or earlier.
    pub end_report_time: Option<Timestamp>,
    /// Logged at this time or later.
    pub start_publish_time: Option<Timestamp>,
    /// Logged at this time or earlier.
    pub end_publish_time: Option<Timestamp>,
}

impl ListEvents {
    /// Whether `event` is to be listed, `max_events` aside.
    #[must_use]
    pub fn matches(&self, event: &EventInfo) -> bool {
        let kind = self.event_type.as_ref();
        kind.is_none_or(|kind| event.event_info_type.eq_ignore_ascii_case(kind))
            && is_within(event.id, self.start_event, self.end_event)
            && is_within(event.time_of_report, self.start_report_time, self.end_report_time)
            && is_within(event.time_of_publish, self.start_publish_time, self.end_publish_time)
            && self.service.is_none_or(|wanted| event.service == wanted)
            && self.node.is_none_or(|wanted| event.node == wanted)
            && self.drive.is_none_or(|wanted| event.drive == wanted || event.drives.contains(&wanted))
    }
}

fn is_within<T: PartialOrd>(value: T, first: Option<T>, last: Option<T>) -> bool {
    first.is_none_or(|first| value >= first) && last.is_none_or(|last| value <= last)
}

/// Result of `ListEvents`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Events {
    /// Always `public`.
    pub event_queue_type: String,
    /// Oldest first.
    pub events: Vec<EventInfo>,
}
