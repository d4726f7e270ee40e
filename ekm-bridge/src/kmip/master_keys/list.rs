//! All keys of a cluster on a server: every object is looked at, because no server searches by the start of a name.

use keywrap::keys::KeyId;
use uuid::Uuid;

use super::{Found, KeyName, MasterKeys};
use crate::kmip::attributes::{Attribute, AttributeName, AttributeSet};
use crate::kmip::client::Exchange;
use crate::kmip::enums::{ObjectType, Operation};
use crate::kmip::error::{ErrorKind, KmipError};
use crate::kmip::id::UniqueId;
use crate::kmip::ops::{GetAttributes, Locate};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::Value;

/// Objects that are looked at, at most. A server shared with others should show us no more than our own.
const MAX_OBJECTS: usize = 4096;

impl<E: Exchange> MasterKeys<E> {
    /// Every key of `cluster` that this client is shown, each once. What it may not look at is not its own.
    ///
    /// # Errors
    /// `Refused` when there are too many objects to look at; `Ambiguous` when two live ones have one name; any other
    /// kind but `Absent`.
    pub fn list(&mut self, cluster: Uuid) -> Result<Vec<(KeyId, Found)>, KmipError> {
        let mut listed: Vec<(KeyId, Found)> = Vec::new();
        for id in self.all_objects()? {
            let Some((key, found)) = self.key_behind(cluster, &id)? else { continue };
            match listed.iter_mut().find(|(known, _)| *known == key) {
                None => listed.push((key, found)),
                Some((_, known)) if !known.is_live() => *known = found,
                Some(_) if !found.is_live() => {}
                Some((_, known)) => {
                    let name = KeyName { cluster, key }.name();
                    let message = format!("the objects {} and {} are both called {name}", known.id, found.id);
                    return Err(self.error(ErrorKind::Ambiguous, Operation::LOCATE, message));
                }
            }
        }
        Ok(listed)
    }

    fn all_objects(&mut self) -> Result<Vec<UniqueId>, KmipError> {
        let kind = Attribute::standard(Tag::OBJECT_TYPE, Value::Enumeration(ObjectType::SYMMETRIC_KEY.0));
        let maximum = i32::try_from(MAX_OBJECTS + 1).ok();
        let ids = match self.client.call(&Locate { maximum, skip: None, attributes: vec![kind] }) {
            Ok(located) => located.ids,
            Err(error) if error.failure().is_some_and(|failure| failure.says_absent()) => Vec::new(),
            Err(error) => return Err(error),
        };
        if ids.len() <= MAX_OBJECTS {
            return Ok(ids);
        }
        let message = format!("it has more than {MAX_OBJECTS} keys; give this cluster a user of its own there");
        Err(self.error(ErrorKind::Refused, Operation::LOCATE, message))
    }

    /// The key that an object is, if it is one of the cluster.
    fn key_behind(&mut self, cluster: Uuid, id: &UniqueId) -> Result<Option<(KeyId, Found)>, KmipError> {
        let names = vec![AttributeName::Standard(Tag::NAME), AttributeName::Standard(Tag::STATE)];
        let attributes = match self.client.call(&GetAttributes { object: Some(id.clone()), names }) {
            Ok(attributes) => attributes,
            Err(error) if error.is_refusal() || error.kind == ErrorKind::Absent => return Ok(None),
            Err(error) => return Err(error),
        };
        let key = key_named(&attributes, cluster);
        Ok(key.map(|key| (key, Found { id: id.clone(), state: attributes.state(), has_custom: false })))
    }
}

fn key_named(attributes: &AttributeSet, cluster: Uuid) -> Option<KeyId> {
    let prefix = format!("sear/{cluster}/");
    let id = |name: &str| name.strip_prefix(&prefix).and_then(|id| Uuid::try_parse(id).ok()).map(KeyId);
    attributes.names().find_map(id)
}
