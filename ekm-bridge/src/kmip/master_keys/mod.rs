//! Master keys on one server: the verbs that a key provider needs, each safe to repeat.
//!
//! ```text
//! create ─┬─ find: is it there from an earlier attempt? ──┐
//! register┘        └─ Create or Register; a lost reply: find again ─▶ activate ─▶ see it Active, and only once
//! key ────── find ─▶ Get                    revoke ─▶ destroy: "already so" is success
//! ```

mod find;
mod lifecycle;
mod list;
mod make;
mod name;
mod read;
#[cfg(test)]
mod tests;

pub use find::Found;
pub use lifecycle::Change;
pub use make::{CustomAttribute, Made};
pub use name::KeyName;

use super::client::{Client, Exchange};
use super::enums::Operation;
use super::error::{ErrorKind, KmipError};

/// The master keys of one server.
pub struct MasterKeys<E> {
    client: Client<E>,
    /// What the server said when it refused a custom attribute; it is not tried again on this connection.
    no_custom: Option<String>,
}

impl<E: Exchange> MasterKeys<E> {
    /// The keys behind `client`. Nothing is asked yet.
    pub fn new(client: Client<E>) -> Self {
        Self { client, no_custom: None }
    }

    /// For operations that this type has no verb for.
    pub fn client(&mut self) -> &mut Client<E> {
        &mut self.client
    }

    fn error(&self, kind: ErrorKind, operation: Operation, message: String) -> KmipError {
        KmipError::ours(kind, self.client.server(), operation, message)
    }
}
