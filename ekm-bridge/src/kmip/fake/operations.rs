//! What the fake does.

use super::{Fake, Object, Refusal};
use crate::kmip::attributes::{Attribute, AttributeName, AttributeSet, one, read_references};
use crate::kmip::enums::{CryptographicAlgorithm, ObjectType, Operation, ResultReason, State};
use crate::kmip::fields::Fields;
use crate::kmip::key_block::KeyBlock;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{Item, Value, encode};
use crate::kmip::version::ProtocolVersion;

const NOT_FOUND: Refusal = (ResultReason::ITEM_NOT_FOUND, "Could not locate object");
const NO_CUSTOM: Refusal = (ResultReason::INVALID_FIELD, "The custom attribute is unsupported.");
const WRONG_STATE: Refusal = (ResultReason::PERMISSION_DENIED, "The object is in the wrong state.");

impl Fake {
    pub(super) fn carry_out(
        &mut self,
        operation: Operation,
        version: ProtocolVersion,
        payload: Fields<'_>,
    ) -> Result<Vec<Item>, Refusal> {
        match operation {
            Operation::DISCOVER_VERSIONS if self.has_discover => {
                let offered: Vec<_> = payload.all(Tag::PROTOCOL_VERSION).map(ProtocolVersion::from_item).collect();
                let common = self.versions.iter().filter(|version| offered.contains(&Ok(**version)));
                Ok(common.map(|version| version.to_item()).collect())
            }
            Operation::QUERY => Ok(vec![Item::enumeration(Tag::OPERATION, Operation::GET)]),
            Operation::CREATE => self.make(template(payload), vec![7; 32]),
            Operation::REGISTER => {
                let key = KeyBlock::read(payload.structure(Tag::SYMMETRIC_KEY).unwrap()).unwrap();
                self.make(template(payload), key.material.expose_secret().to_vec())
            }
            Operation::LOCATE => Ok(self.locate(&AttributeSet::read(payload).unwrap())),
            Operation::GET => self.object(payload).map(|object| object.get()),
            Operation::GET_ATTRIBUTES => {
                let wanted = read_references(payload);
                if self.wants_names && wanted.is_empty() {
                    return Err((ResultReason::GENERAL_FAILURE, "cannot encode an attribute"));
                }
                self.object(payload).map(|object| object.show(&wanted, version))
            }
            Operation::ADD_ATTRIBUTE => self.add(payload),
            Operation::ACTIVATE if self.ignores_activate => Ok(Vec::new()),
            Operation::ACTIVATE => self.step(payload, &[State::PRE_ACTIVE], State::ACTIVE),
            Operation::REVOKE => self.step(payload, &[State::ACTIVE], State::DEACTIVATED),
            Operation::DESTROY => self.destroy(payload),
            _ => Err((ResultReason::OPERATION_NOT_SUPPORTED, "not supported")),
        }
    }

    fn object(&mut self, payload: Fields<'_>) -> Result<&mut Object, Refusal> {
        let id = payload.text(Tag::UNIQUE_IDENTIFIER).map_err(|_| NOT_FOUND)?;
        self.objects.iter_mut().find(|object| object.id == id).ok_or(NOT_FOUND)
    }

    fn make(&mut self, attributes: Vec<Attribute>, key: Vec<u8>) -> Result<Vec<Item>, Refusal> {
        if !self.takes_custom && attributes.iter().any(is_custom) {
            return Err(NO_CUSTOM);
        }
        let id = format!("id-{}", self.objects.len());
        self.objects.push(Object { id: id.clone(), state: State::PRE_ACTIVE, attributes, key });
        let object_type = Item::enumeration(Tag::OBJECT_TYPE, ObjectType::SYMMETRIC_KEY);
        Ok(vec![object_type, Item::text(Tag::UNIQUE_IDENTIFIER, id)])
    }

    fn locate(&self, wanted: &AttributeSet) -> Vec<Item> {
        let everything = self.ignores_custom_search && wanted.attributes.iter().any(is_custom);
        let found = self.objects.iter().filter(|object| everything || object.has_all(&wanted.attributes));
        found.map(|object| Item::text(Tag::UNIQUE_IDENTIFIER, &object.id)).collect()
    }

    fn add(&mut self, payload: Fields<'_>) -> Result<Vec<Item>, Refusal> {
        let attribute = AttributeSet::read(payload).unwrap().attributes.pop().unwrap();
        if !self.takes_custom && is_custom(&attribute) {
            return Err(NO_CUSTOM);
        }
        self.object(payload)?.attributes.push(attribute);
        Ok(Vec::new())
    }

    fn step(&mut self, payload: Fields<'_>, from: &[State], to: State) -> Result<Vec<Item>, Refusal> {
        let object = self.object(payload)?;
        if !from.contains(&object.state) {
            return Err(WRONG_STATE);
        }
        object.state = to;
        Ok(Vec::new())
    }

    fn destroy(&mut self, payload: Fields<'_>) -> Result<Vec<Item>, Refusal> {
        self.step(payload, &[State::PRE_ACTIVE, State::DEACTIVATED], State::DESTROYED)?;
        if !self.keeps_destroyed {
            self.objects.retain(|object| object.state != State::DESTROYED);
        }
        Ok(Vec::new())
    }
}

impl Object {
    fn get(&self) -> Vec<Item> {
        vec![
            Item::enumeration(Tag::OBJECT_TYPE, ObjectType::SYMMETRIC_KEY),
            Item::text(Tag::UNIQUE_IDENTIFIER, &self.id),
            KeyBlock::raw(CryptographicAlgorithm::AES, &self.key).to_symmetric_key(),
        ]
    }

    fn show(&self, wanted: &[AttributeName], version: ProtocolVersion) -> Vec<Item> {
        let state = Attribute::standard(Tag::STATE, Value::Enumeration(self.state.into()));
        let all = self.attributes.iter().chain([&state]);
        let shown = all.filter(|attribute| wanted.is_empty() || wanted.contains(&attribute.name));
        let items = shown.map(|attribute| one(attribute, version)).collect();
        let mut payload = vec![Item::text(Tag::UNIQUE_IDENTIFIER, &self.id)];
        match version.has_tagged_attributes() {
            true => payload.push(Item::structure(Tag::ATTRIBUTES, items)),
            false => payload.extend(items),
        }
        payload
    }

    fn has_all(&self, wanted: &[Attribute]) -> bool {
        let has = |wanted: &Attribute| self.attributes.iter().any(|attribute| same(attribute, wanted));
        wanted.iter().all(has)
    }
}

fn same(a: &Attribute, b: &Attribute) -> bool {
    let bytes = |attribute: &Attribute| encode(&Item::new(Tag::ATTRIBUTE_VALUE, attribute.value.duplicate()));
    a.name == b.name && bytes(a) == bytes(b)
}

fn is_custom(attribute: &Attribute) -> bool {
    matches!(attribute.name, AttributeName::Vendor { .. })
}

/// The attributes of a new object, in either layout.
fn template(payload: Fields<'_>) -> Vec<Attribute> {
    let payload = match payload.get(Tag::TEMPLATE_ATTRIBUTE) {
        Some(template) => Fields::of(template),
        None => payload,
    };
    AttributeSet::read(payload).unwrap().attributes
}
