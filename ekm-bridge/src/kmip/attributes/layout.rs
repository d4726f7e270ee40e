//! Attributes to items and back, in the layout of 1.x and in that of 2.x.

use super::{Attribute, AttributeName};
use crate::kmip::fields::{Fields, Malformed};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{Item, Value};
use crate::kmip::version::ProtocolVersion;

/// The attributes of a new object: Template-Attribute, or Attributes.
#[must_use]
pub fn template(attributes: &[Attribute], version: ProtocolVersion) -> Item {
    let tag = if version.has_tagged_attributes() { Tag::ATTRIBUTES } else { Tag::TEMPLATE_ATTRIBUTE };
    Item::structure(tag, attributes.iter().map(|attribute| one(attribute, version)).collect())
}

/// One attribute by itself.
#[must_use]
pub fn one(attribute: &Attribute, version: ProtocolVersion) -> Item {
    match (&attribute.name, version.has_tagged_attributes()) {
        (AttributeName::Standard(tag), true) => Item::new(*tag, attribute.value.duplicate()),
        (AttributeName::Vendor { vendor, name }, true) => {
            let mut fields = vendor_name(vendor, name);
            fields.push(Item::new(Tag::ATTRIBUTE_VALUE, attribute.value.duplicate()));
            Item::structure(Tag::ATTRIBUTE, fields)
        }
        (name, false) => {
            let mut fields = vec![Item::text(Tag::ATTRIBUTE_NAME, name.to_string())];
            fields.extend(attribute.index.map(|index| Item::integer(Tag::ATTRIBUTE_INDEX, index)));
            fields.push(Item::new(Tag::ATTRIBUTE_VALUE, attribute.value.duplicate()));
            Item::structure(Tag::ATTRIBUTE, fields)
        }
    }
}

/// The names of attributes that are asked for: Attribute Name, or Attribute Reference.
pub fn references(names: &[AttributeName], version: ProtocolVersion) -> impl Iterator<Item = Item> {
    names.iter().map(move |name| match (name, version.has_tagged_attributes()) {
        (name, false) => Item::text(Tag::ATTRIBUTE_NAME, name.to_string()),
        (AttributeName::Standard(tag), true) => Item::enumeration(Tag::ATTRIBUTE_REFERENCE, tag.number()),
        (AttributeName::Vendor { vendor, name }, true) => {
            Item::structure(Tag::ATTRIBUTE_REFERENCE, vendor_name(vendor, name))
        }
    })
}

fn vendor_name(vendor: &str, name: &str) -> Vec<Item> {
    vec![Item::text(Tag::VENDOR_IDENTIFICATION, vendor), Item::text(Tag::ATTRIBUTE_NAME, name)]
}

/// Every attribute in a payload, in either layout.
pub(super) fn read_all(payload: Fields<'_>) -> Result<Vec<Attribute>, Malformed> {
    let tagged = payload.get(Tag::ATTRIBUTES).map_or(&[][..], Item::items);
    let listed = payload.all(Tag::ATTRIBUTE);
    tagged.iter().chain(listed).map(read_one).collect()
}

fn read_one(item: &Item) -> Result<Attribute, Malformed> {
    if item.tag != Tag::ATTRIBUTE {
        return Ok(Attribute::standard(item.tag, item.value.duplicate()));
    }
    let fields = Fields::of(item);
    let name = fields.text(Tag::ATTRIBUTE_NAME)?;
    let name = match fields.text_if_any(Tag::VENDOR_IDENTIFICATION) {
        Some(vendor) => AttributeName::vendor(vendor, name),
        None => AttributeName::from_text(name),
    };
    let index = fields.integer(Tag::ATTRIBUTE_INDEX).ok();
    // Some servers answer with an attribute that has no value; it is kept as an empty structure.
    let value = fields.get(Tag::ATTRIBUTE_VALUE).map_or(Value::Structure(Vec::new()), |item| item.value.duplicate());
    Ok(Attribute { name, index, value })
}

/// Every name of an attribute in a payload, in either layout; references of an unknown form are left out.
pub(in crate::kmip) fn read_references(payload: Fields<'_>) -> Vec<AttributeName> {
    payload.items().iter().filter_map(read_reference).collect()
}

fn read_reference(item: &Item) -> Option<AttributeName> {
    match (item.tag, &item.value) {
        (Tag::ATTRIBUTE_NAME, Value::Text(text)) => Some(AttributeName::from_text(text)),
        (Tag::ATTRIBUTE_REFERENCE, Value::Enumeration(number)) => Tag::new(*number).map(AttributeName::Standard),
        (Tag::ATTRIBUTE_REFERENCE, Value::Structure(_)) => {
            let fields = Fields::of(item);
            let vendor = fields.text_if_any(Tag::VENDOR_IDENTIFICATION).unwrap_or_default();
            fields.text_if_any(Tag::ATTRIBUTE_NAME).map(|name| AttributeName::vendor(vendor, name))
        }
        _ => None,
    }
}
