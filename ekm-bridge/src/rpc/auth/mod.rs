//! Who calls: basic authentication (RFC 7617) against Argon2id hashes. How its parts work together is in the server's
//! gate.

mod basic;
mod delay;
mod password;
mod role;
mod verified;

pub use basic::Credentials;
pub(in crate::rpc) use delay::{Culprit, Delays, MAX_WAIT};
pub use password::PasswordHash;
pub use role::Role;
pub(in crate::rpc) use verified::Verified;
