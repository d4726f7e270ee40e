//! Query (KMIP 1.x, section 4.25).

use super::Request;
use crate::kmip::enums::{ObjectType, Operation, QueryFunction};
use crate::kmip::fields::{Fields, Malformed};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{Item, Value};
use crate::kmip::version::ProtocolVersion;

/// What can the server do?
pub struct Query {
    /// What to ask about.
    pub functions: Vec<QueryFunction>,
}

/// What a server says of itself. What was not asked for is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerDescription {
    /// The operations it carries out.
    pub operations: Vec<Operation>,
    /// The types of object it keeps.
    pub object_types: Vec<ObjectType>,
    /// Who made it.
    pub vendor: Option<String>,
    /// Its namespaces for Application Specific Information.
    pub namespaces: Vec<String>,
}

impl Request for Query {
    const OPERATION: Operation = Operation::QUERY;
    const NAMES_OBJECT: bool = false;
    type Response = ServerDescription;

    fn payload(&self, _: ProtocolVersion) -> Vec<Item> {
        self.functions.iter().map(|function| Item::enumeration(Tag::QUERY_FUNCTION, *function)).collect()
    }

    fn read(payload: Fields<'_>) -> Result<Self::Response, Malformed> {
        Ok(ServerDescription {
            operations: numbers(payload, Tag::OPERATION).map(Operation).collect(),
            object_types: numbers(payload, Tag::OBJECT_TYPE).map(ObjectType).collect(),
            vendor: payload.text_if_any(Tag::VENDOR_IDENTIFICATION).map(str::to_owned),
            namespaces: texts(payload, Tag::APPLICATION_NAMESPACE).map(str::to_owned).collect(),
        })
    }
}

fn numbers(payload: Fields<'_>, tag: Tag) -> impl Iterator<Item = u32> {
    payload.all(tag).filter_map(|item| match item.value {
        Value::Enumeration(number) => Some(number),
        _ => None,
    })
}

fn texts(payload: Fields<'_>, tag: Tag) -> impl Iterator<Item = &str> {
    payload.all(tag).filter_map(|item| match &item.value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    })
}
