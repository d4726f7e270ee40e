//! Operations: what a client can ask for, one type each, with the answer that belongs to it.

mod attributes;
mod check;
mod create;
mod crypt;
mod get;
mod lifecycle;
mod locate;
mod query;
mod register;
mod rekey;
mod rng;
#[cfg(test)]
mod tests;
mod versions;

pub use attributes::{AddAttribute, GetAttributeList, GetAttributes, ModifyAttribute};
pub use check::{Check, Checked};
pub use create::Create;
pub use crypt::{CryptographicParameters, Decrypt, Encrypt, Encrypted};
pub use get::{Get, ManagedObject, WrappingSpecification};
pub use lifecycle::{Activate, Destroy, Revoke};
pub use locate::{Locate, Located};
pub use query::{Query, ServerDescription};
pub use register::Register;
pub use rekey::ReKey;
pub use rng::RngRetrieve;
pub use versions::DiscoverVersions;

use super::enums::Operation;
use super::fields::{Fields, Malformed};
use super::message::RequestItem;
use super::ttlv::Item;
use super::version::ProtocolVersion;

/// One operation with its parameters.
pub trait Request {
    /// Its number.
    const OPERATION: Operation;

    /// The first version that has it.
    const SINCE: ProtocolVersion = ProtocolVersion::V1_0;

    /// What it means to send the same request a second time.
    const REPEAT: Repeat = Repeat::Harmless;

    /// Whether it names an object, so that "not found" can be about that object.
    const NAMES_OBJECT: bool = true;

    /// The answer.
    type Response;

    /// The parameters, in the order that the specification demands.
    fn payload(&self, version: ProtocolVersion) -> Vec<Item>;

    /// Reads the payload of an answer of either layout.
    ///
    /// # Errors
    /// When something that must be there is missing.
    fn read(payload: Fields<'_>) -> Result<Self::Response, Malformed>;

    /// The batch item that asks for it.
    fn to_item(&self, version: ProtocolVersion) -> RequestItem {
        RequestItem { operation: Self::OPERATION, payload: self.payload(version) }
    }
}

/// What a repeated request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Nothing that the first one did not do.
    Harmless,
    /// A second object. When the reply was lost, look for the first before sending it again.
    MakesAnother,
}
