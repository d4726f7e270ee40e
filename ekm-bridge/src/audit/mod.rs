//! The audit log: who asked for what, from where, and what came of it; one line of JSON each, chained by hashes.
//!
//! ```text
//! line n   {"hash":"H(n)","entry":{…,"sequence":n,…}}        H(n) = SHA-256(H(n−1) ‖ bytes of the entry), H(0) = 0
//! ```
//! The chain shows every change to whoever knows a later hash from elsewhere; without one it shows damage and clumsy
//! changes only, because the hashes are not keyed. Bytes and crash cases: `docs/format/audit.md`.

mod canonical;
mod entry;
mod line;
mod log;
mod redact;
mod scan;
mod verify;

pub use entry::{AuditEvent, Outcome};
pub use line::Head;
pub use log::{AuditError, AuditLog, DEFAULT_LIMIT};
pub use redact::{is_secret_name, redact};
pub use scan::Broken;
pub use verify::{VerifyError, verify};
