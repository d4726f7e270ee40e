//! Making a key on a server, or bringing one there.

use keywrap::keys::MasterKey;
use subtle::ConstantTimeEq;

use super::{Found, KeyName, MasterKeys};
use crate::kmip::attributes::Attribute;
use crate::kmip::client::Exchange;
use crate::kmip::enums::{CryptographicAlgorithm, Operation, State, usage};
use crate::kmip::error::{ErrorKind, KmipError};
use crate::kmip::id::UniqueId;
use crate::kmip::key_block::KeyBlock;
use crate::kmip::ops::{AddAttribute, Create, Register, Request};

/// The length of a master key in bits.
const BITS: i32 = 256;

/// What servers let every key do. A mask that fits the use better, Derive Key, is refused by some for AES keys.
const USAGE: i32 = usage::ENCRYPT | usage::DECRYPT;

/// A key that is on the server and Active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// What the server calls it; keep it beside the UUID.
    pub id: UniqueId,
    /// Whether it was there already, from an earlier attempt.
    pub was_there: bool,
    /// Whether it carries the custom attribute.
    pub custom: CustomAttribute,
}

/// Whether a server took the custom attribute. A key without it is still found by its Name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomAttribute {
    /// It did.
    Present,
    /// It did not, for this reason; people should be told.
    Refused(String),
}

impl<E: Exchange> MasterKeys<E> {
    /// Makes the key called `name` on the server, which chooses its bytes, and activates it. A key of that name from
    /// an earlier attempt is taken up instead.
    ///
    /// # Errors
    /// Any kind but `Absent`. After an error, call it again with the same name: nothing is made twice.
    pub fn create(&mut self, name: &KeyName) -> Result<Made, KmipError> {
        self.make(name, &|mut attributes| {
            attributes.insert(0, Attribute::algorithm(CryptographicAlgorithm::AES));
            attributes.insert(1, Attribute::length(BITS));
            Create { attributes }
        })
    }

    /// Brings `key` to the server under `name` and activates it, so that the server can stand in for the one that made
    /// it. A key of that name that is there already is taken up if it has the same bytes.
    ///
    /// # Errors
    /// `Ambiguous` also when the server has another key of that name; any kind but `Absent`. After an error, call it
    /// again with the same name: nothing is made twice.
    pub fn register(&mut self, name: &KeyName, key: &MasterKey) -> Result<Made, KmipError> {
        let made = self.make(name, &|attributes| {
            let key = KeyBlock::raw(CryptographicAlgorithm::AES, key.0.expose_secret());
            Register { attributes, key }
        })?;
        if made.was_there && !bool::from(self.get(&made.id)?.0.ct_eq(&key.0)) {
            let message = format!("the server has another key {} that is called {}", made.id, name.name());
            return Err(self.error(ErrorKind::Ambiguous, Operation::REGISTER, message));
        }
        Ok(made)
    }

    fn make<R>(&mut self, name: &KeyName, build: &dyn Fn(Vec<Attribute>) -> R) -> Result<Made, KmipError>
    where
        R: Request<Response = UniqueId>,
    {
        let found = self.find(name)?;
        let was_there = found.as_ref().is_some_and(Found::is_live);
        let id = match found {
            Some(found) if found.is_live() => found.id,
            // A copy may come back to a server. New bytes under an old name could be taken for the old key.
            Some(gone) if R::OPERATION == Operation::CREATE => return Err(self.used_up(name, &gone.id)),
            _ => self.make_anew(name, build)?,
        };
        self.activate(&id)?;
        let mut found = self.confirm(name, &id)?;
        if !found.has_custom && self.no_custom.is_none() {
            let refusal = self.add_custom(name, &id)?;
            found = self.confirm(name, &id)?;
            if !found.has_custom {
                self.no_custom = Some(refusal.unwrap_or_else(|| "the server took it and does not show it".into()));
            }
        }
        let custom = match &self.no_custom {
            Some(why) if !found.has_custom => CustomAttribute::Refused(why.clone()),
            _ => CustomAttribute::Present,
        };
        Ok(Made { id, was_there, custom })
    }

    /// With the custom attribute; if the server does not want that, without.
    fn make_anew<R>(&mut self, name: &KeyName, build: &dyn Fn(Vec<Attribute>) -> R) -> Result<UniqueId, KmipError>
    where
        R: Request<Response = UniqueId>,
    {
        let usage = || Attribute::usage(USAGE);
        if self.no_custom.is_none() {
            let all = || build(vec![usage(), name.name_attribute(), name.custom_attribute()]);
            match self.make_once(name, &all) {
                Err(error) if error.is_refusal() => {}
                outcome => return outcome,
            }
        }
        self.make_once(name, &|| build(vec![usage(), name.name_attribute()]))
    }

    /// When the reply is lost the key may have been made, so it is searched for; only if it is not there, one more try.
    fn make_once<R>(&mut self, name: &KeyName, request: &dyn Fn() -> R) -> Result<UniqueId, KmipError>
    where
        R: Request<Response = UniqueId>,
    {
        match self.client.call(&request()) {
            Err(error) if error.kind == ErrorKind::ReplyLost => {}
            outcome => return outcome,
        }
        match self.find(name)?.filter(Found::is_live) {
            Some(found) => Ok(found.id),
            None => self.client.call(&request()),
        }
    }

    fn used_up(&self, name: &KeyName, id: &UniqueId) -> KmipError {
        let message = format!("the key {}, {id} on the server, was destroyed; its name is not used again", name.name());
        self.error(ErrorKind::Refused, Operation::CREATE, message)
    }

    /// Some servers take a custom attribute only by itself. Returns what the server said if it refused.
    fn add_custom(&mut self, name: &KeyName, id: &UniqueId) -> Result<Option<String>, KmipError> {
        let attribute = name.custom_attribute();
        match self.client.call(&AddAttribute { object: Some(id.clone()), attribute }) {
            Ok(()) => Ok(None),
            Err(error) if error.is_refusal() => Ok(Some(error.to_string())),
            Err(error) => Err(error),
        }
    }

    /// The search that later operations will make has to find this key, Active, and no other.
    fn confirm(&mut self, name: &KeyName, id: &UniqueId) -> Result<Found, KmipError> {
        let found = self.find(name)?.filter(|found| found.id == *id && found.state == Some(State::ACTIVE));
        found.ok_or_else(|| {
            let message = format!("the server made the key {id}, but does not find it as {}", name.name());
            self.error(ErrorKind::Malformed, Operation::LOCATE, message)
        })
    }
}
