//! Messages: a header and a batch of items, each of which asks for one operation or answers one (KMIP 1.x, sections 6, 7).

mod request;
mod response;
mod result;
#[cfg(test)]
mod tests;

pub use request::{Credential, RequestHeader, RequestItem, request};
pub use response::{Response, ResponseItem};
pub use result::{Failure, Outcome};
