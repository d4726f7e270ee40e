//! Discover Versions (KMIP 1.1, section 4.26).

use super::Request;
use crate::kmip::enums::Operation;
use crate::kmip::fields::{Fields, Malformed};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::Item;
use crate::kmip::version::ProtocolVersion;

/// Which versions does the server speak?
pub struct DiscoverVersions {
    /// Those that the client speaks, best first; the answer then has no others. Empty asks for all.
    pub offered: Vec<ProtocolVersion>,
}

impl Request for DiscoverVersions {
    const OPERATION: Operation = Operation::DISCOVER_VERSIONS;
    const NAMES_OBJECT: bool = false;
    // It is part of 1.1, but it is how a client finds out; a server of 1.0 refuses it.
    type Response = Vec<ProtocolVersion>;

    fn payload(&self, _: ProtocolVersion) -> Vec<Item> {
        self.offered.iter().map(|version| version.to_item()).collect()
    }

    fn read(payload: Fields<'_>) -> Result<Self::Response, Malformed> {
        payload.all(Tag::PROTOCOL_VERSION).map(ProtocolVersion::from_item).collect()
    }
}
