//! The methods: one table, from which come the dispatch, `GetAPI`, the roles and the coverage in `docs/rpc.md`.

mod call;
mod cluster;
mod drives;
mod keys;
mod ledger;
mod places;
mod reports;
mod row;
mod sear;
mod volumes;

use super::error::{ApiError, ErrorName};
use super::version::Version;

pub use call::{Call, Caller};
pub use row::{Method, Port, Scope};

/// The table, group by group.
const GROUPS: &[&[Method]] = &[
    cluster::METHODS,
    keys::METHODS,
    sear::METHODS,
    ledger::METHODS,
    reports::METHODS,
    drives::METHODS,
    volumes::METHODS,
    places::METHODS,
];

/// Every method, in the order of the table.
pub fn all() -> impl Iterator<Item = &'static Method> {
    GROUPS.iter().copied().flatten()
}

/// Whether Element has no such method: it is ours, and public clients do not know it.
#[must_use]
pub fn is_ours(method: &Method) -> bool {
    ledger::METHODS.iter().chain(places::METHODS).any(|ours| ours.name == method.name)
}

/// The method called `name`, in any case, if `version` and `port` have it.
///
/// # Errors
/// `xUnknownAPIMethod`, with the reason.
pub fn find(name: &str, version: Version, port: Port) -> Result<&'static Method, ApiError> {
    let unknown = |why: String| ApiError::new(ErrorName::UnknownApiMethod, format!("method={name}{why}"));
    let method = all().find(|method| method.name.eq_ignore_ascii_case(name)).ok_or_else(|| unknown(String::new()))?;
    if method.since > version {
        return Err(unknown(format!(": since version {}, asked for in version {version}", method.since)));
    }
    if !method.scope.is_on(port) {
        return Err(unknown(format!(": not on this port; it is a method of {}", method.scope.as_str())));
    }
    Ok(method)
}

#[cfg(test)]
mod tests;
