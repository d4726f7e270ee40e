//! Finding a key: search, then look at every hit, because a server may ignore what it was told to search for.

use super::{KeyName, MasterKeys};
use crate::kmip::attributes::{Attribute, AttributeName, AttributeSet};
use crate::kmip::client::Exchange;
use crate::kmip::enums::{Operation, State};
use crate::kmip::error::{ErrorKind, KmipError};
use crate::kmip::id::UniqueId;
use crate::kmip::ops::{GetAttributes, Locate};
use crate::kmip::tag::Tag;

/// More hits than this are not looked at: the server did not search.
const MAX_HITS: usize = 256;

/// A key on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the server calls it.
    pub id: UniqueId,
    /// Where it is in its life, if the server says so.
    pub state: Option<State>,
    /// Whether it carries the custom attribute.
    pub has_custom: bool,
}

impl Found {
    /// Whether there is still key material.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !matches!(self.state, Some(State::DESTROYED | State::DESTROYED_COMPROMISED))
    }
}

impl<E: Exchange> MasterKeys<E> {
    /// The key called `name`, if the server has it: searched by Name and by the custom attribute, then compared.
    ///
    /// A destroyed key whose attributes the server keeps is found too, unless a live one has taken its place.
    ///
    /// # Errors
    /// `Ambiguous` when more than one live object answers to the name; `Refused` when the server cannot search; any
    /// other kind but `Absent`.
    pub fn find(&mut self, name: &KeyName) -> Result<Option<Found>, KmipError> {
        let by_name = self.locate_by_name(name)?;
        let by_custom = self.locate_by_custom(name)?;
        let mut found = Vec::new();
        let mut refusal = None;
        for id in by_custom.iter().filter(|id| !by_name.contains(id)).chain(&by_name) {
            match self.inspect(name, id) {
                Ok(found_here) => found.extend(found_here),
                // Not to be allowed to look is no proof that it is not there. What the custom attribute brings up
                // besides may be anybody's, from a server that ignores it.
                Err(error) if error.is_refusal() => refusal = Some(error).filter(|_| by_name.contains(id)).or(refusal),
                Err(error) => return Err(error),
            }
        }
        match refusal {
            Some(error) if found.is_empty() => Err(error),
            _ => self.choose(name, found),
        }
    }

    fn locate_by_name(&mut self, name: &KeyName) -> Result<Vec<UniqueId>, KmipError> {
        let ids = self.locate(name.name_attribute())?;
        if ids.len() > MAX_HITS {
            let message = format!(
                "a search for the name {} gave more than {MAX_HITS} objects: the server ignores what is searched for",
                name.name()
            );
            return Err(self.error(ErrorKind::Refused, Operation::LOCATE, message));
        }
        Ok(ids)
    }

    /// A server that cannot search by a custom attribute, or returns everything, adds nothing to the search by Name.
    fn locate_by_custom(&mut self, name: &KeyName) -> Result<Vec<UniqueId>, KmipError> {
        if self.no_custom.is_some() {
            return Ok(Vec::new());
        }
        match self.locate(name.custom_attribute()) {
            Ok(ids) if ids.len() <= MAX_HITS => Ok(ids),
            Err(error) if !error.is_refusal() => Err(error),
            _ => Ok(Vec::new()),
        }
    }

    /// One search. Some servers answer "not found" in the place of an empty list.
    fn locate(&mut self, attribute: Attribute) -> Result<Vec<UniqueId>, KmipError> {
        let maximum = i32::try_from(MAX_HITS + 1).ok();
        let outcome = self.client.call(&Locate { maximum, skip: None, attributes: vec![attribute] });
        match outcome {
            Ok(located) => Ok(located.ids),
            Err(error) if error.failure().is_some_and(|failure| failure.says_absent()) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The object if it is the key; `None` when it is another, or gone meanwhile.
    fn inspect(&mut self, name: &KeyName, id: &UniqueId) -> Result<Option<Found>, KmipError> {
        let attributes = match self.attributes(name, id) {
            Err(error) if error.kind == ErrorKind::Absent => return Ok(None),
            outcome => outcome?,
        };
        let has_custom = attributes.has_custom(&name.custom(), &name.custom_value());
        let is_it = has_custom || attributes.has_name(&name.name());
        Ok(is_it.then(|| Found { id: id.clone(), state: attributes.state(), has_custom }))
    }

    /// All attributes; only those that are needed from a server that stumbles over one of the others, or over custom
    /// ones.
    fn attributes(&mut self, name: &KeyName, id: &UniqueId) -> Result<AttributeSet, KmipError> {
        let standard = [Tag::NAME, Tag::STATE].map(AttributeName::Standard);
        let with_custom = [standard.as_slice(), &[AttributeName::custom(&name.custom())]].concat();
        let mut first = None;
        for names in [Vec::new(), with_custom, standard.into()] {
            match self.client.call(&GetAttributes { object: Some(id.clone()), names }) {
                Err(error) if error.is_refusal() || error.kind == ErrorKind::Malformed => {
                    first.get_or_insert(error);
                }
                outcome => return outcome,
            }
        }
        Err(first.expect("one of the three was refused"))
    }

    fn choose(&self, name: &KeyName, found: Vec<Found>) -> Result<Option<Found>, KmipError> {
        let (mut live, destroyed): (Vec<_>, Vec<_>) = found.into_iter().partition(Found::is_live);
        if live.len() > 1 {
            let ids: Vec<String> = live.iter().map(|found| found.id.to_string()).collect();
            let message = format!(
                "{} objects are called {}: {}; find out which of them is in use and remove the name from the others",
                ids.len(),
                name.name(),
                ids.join(", ")
            );
            return Err(self.error(ErrorKind::Ambiguous, Operation::LOCATE, message));
        }
        Ok(live.pop().or_else(|| destroyed.into_iter().next()))
    }
}
