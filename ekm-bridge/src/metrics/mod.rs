//! Numbers for a monitoring system, in Prometheus' text format (version 0.0.4).
//!
//! ```text
//! Registry ─ family (name, help, kind, label names) ─ series (label values) ─ Counter | Gauge | Histogram
//! ```
//! Updating a series takes no lock; finding one by its labels takes a short one, so hot code keeps the series. The
//! daemon's own families are in [`Sear`]; nothing is measured here and no socket is opened.

mod exposition;
mod registry;
mod sear;
mod value;

pub use exposition::CONTENT_TYPE;
pub use registry::{BadName, Family, MAX_SERIES, Registry};
pub use sear::Sear;
pub use value::{Counter, Gauge, Histogram, LATENCY_BUCKETS};
