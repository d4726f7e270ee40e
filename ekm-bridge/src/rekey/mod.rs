//! Replacing a master key, and ending the old one: what may follow what, as functions of what is known.
//!
//! ```text
//! machine   one rekey:   CreateNewMasterKey → RewrapDataEncryptionKeys → DecommissionOldMasterKey → over
//! life      one old key: wait → prove → revoke → destroy
//! rotation  when a key is old enough for the next rekey
//! ```
//! Nothing here reads, writes or waits. `cluster` makes each change durable before it has any effect, so whatever moment
//! a process ends at, the same functions tell the next one how to go on. The tests walk through every order in which a
//! small cluster can do these things and crash (`explore`).

#[cfg(test)]
mod explore;
pub mod life;
pub mod machine;
pub mod rotation;
