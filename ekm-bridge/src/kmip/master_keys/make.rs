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
        let found = self.find(name)?.filter(Found::is_live);
        let was_there = found.is_some();
        let id = match found {
            Some(found) => found.id,
            None => self.make_anew(name, build)?,
        };
        self.activate(&id)?;
        self.confirm(name, &id, was_there)
    }

    /// With the custom attribute; if the server does not want that, without, and then the attribute by itself.
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
        let id = self.make_once(name, &|| build(vec![usage(), name.name_attribute()]))?;
        if self.no_custom.is_none() {
            self.add_custom(name, &id)?;
        }
        Ok(id)
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

    fn add_custom(&mut self, name: &KeyName, id: &UniqueId) -> Result<(), KmipError> {
        let attribute = name.custom_attribute();
        match self.client.call(&AddAttribute { object: Some(id.clone()), attribute }) {
            Err(error) if error.is_refusal() => {
                self.no_custom = Some(error.to_string());
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// The search that later operations will make has to find this key, Active, and no other.
    fn confirm(&mut self, name: &KeyName, id: &UniqueId, was_there: bool) -> Result<Made, KmipError> {
        let found = self.find(name)?.filter(|found| found.id == *id && found.state == Some(State::ACTIVE));
        let Some(found) = found else {
            let message = format!("the server made the key {id}, but does not find it as {}", name.name());
            return Err(self.error(ErrorKind::Malformed, Operation::LOCATE, message));
        };
        let custom = match (found.has_custom, &self.no_custom) {
            (true, _) => CustomAttribute::Present,
            (false, Some(why)) => CustomAttribute::Refused(why.clone()),
            (false, None) => CustomAttribute::Refused("the server took it and does not show it".into()),
        };
        Ok(Made { id: found.id, was_there, custom })
    }
}
