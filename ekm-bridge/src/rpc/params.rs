//! From named JSON parameters to a type, with errors that name the parameter.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::MapDeserializer;
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde_json::{Map, Value};

use super::error::{ApiError, ErrorName};

/// How the error of an enumeration's reader begins; serde's errors carry text only.
pub(super) const BAD_WORD: &str = "unrecognized enum string";

/// Reads `params` as a `P`. Members that `P` does not know are not looked at.
///
/// # Errors
/// `xInvalidParameter` for a missing one, `xInvalidParameterType` or `xUnrecognizedEnumString` for a wrong one; the
/// message names it.
pub(super) fn read<P: DeserializeOwned>(params: &Map<String, Value>) -> Result<P, ApiError> {
    let known = fields_of::<P>();
    let current = RefCell::new("");
    let members = params.iter().filter(|(name, _)| known.contains(&name.as_str())).map(|(name, value)| {
        current.replace(name.as_str());
        (name.as_str(), value)
    });
    P::deserialize(MapDeserializer::new(members)).map_err(|error| explain(&error, &current.borrow()))
}

fn explain(error: &serde_json::Error, current: &str) -> ApiError {
    let text = error.to_string();
    if let Some(rest) = text.strip_prefix("missing field ") {
        return ApiError::new(ErrorName::InvalidParameter, format!("missing parameter {rest}"));
    }
    let name =
        if text.starts_with(BAD_WORD) { ErrorName::UnrecognizedEnumString } else { ErrorName::InvalidParameterType };
    ApiError::new(name, format!("parameter `{current}`: {text}"))
}

/// The names in `params` that a `P` does not know, in order.
pub(super) fn unused<P: DeserializeOwned>(params: &Map<String, Value>) -> Vec<String> {
    let known = fields_of::<P>();
    params.keys().filter(|name| !known.contains(&name.as_str())).cloned().collect()
}

/// The names of the members of a struct with derived `Deserialize`: what the derived code asks a deserializer for.
pub(super) fn fields_of<P: DeserializeOwned>() -> &'static [&'static str] {
    let mut fields: &'static [&'static str] = &[];
    // The probe refuses after it has noted the names, so there is never a value.
    drop(P::deserialize(Probe { fields: &mut fields }));
    fields
}

/// A deserializer that notes the fields it is asked for.
struct Probe<'a> {
    fields: &'a mut &'static [&'static str],
}

/// The probe has no value to give.
#[derive(Debug)]
struct NoValue;

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = NoValue;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, NoValue> {
        Err(NoValue)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, NoValue> {
        *self.fields = fields;
        Err(NoValue)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl fmt::Display for NoValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no value")
    }
}

impl std::error::Error for NoValue {}

impl de::Error for NoValue {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Sample {
        #[serde(rename = "keyServerID")]
        id: u64,
        host_names: Option<Vec<String>>,
    }

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn the_probe_sees_the_names_on_the_wire() {
        assert_eq!(fields_of::<Sample>(), ["keyServerID", "hostNames"]);
    }

    #[test]
    fn missing_and_null_are_the_same_for_an_optional_parameter() {
        for params in [json!({"keyServerID": 3}), json!({"keyServerID": 3, "hostNames": null})] {
            assert_eq!(read::<Sample>(&map(params)).unwrap(), Sample { id: 3, host_names: None });
        }
    }

    #[test]
    fn unknown_parameters_are_named_and_do_no_harm() {
        let params = map(json!({"zeta": [], "keyServerID": 3, "keyserverid": 4}));
        assert_eq!(read::<Sample>(&params).unwrap().id, 3);
        assert_eq!(unused::<Sample>(&params), ["keyserverid", "zeta"]);
    }

    #[test]
    fn errors_name_the_parameter() {
        let missing = read::<Sample>(&Map::new()).unwrap_err();
        assert_eq!(missing.name, ErrorName::InvalidParameter);
        assert_eq!(missing.message, "missing parameter `keyServerID`");
        for (value, bad) in [(json!("3"), "keyServerID"), (json!(-1), "keyServerID"), (json!(1.5), "keyServerID")] {
            let error = read::<Sample>(&map(json!({"keyServerID": value}))).unwrap_err();
            assert_eq!(error.name, ErrorName::InvalidParameterType);
            assert!(error.message.contains(bad), "{error}");
        }
        let inner = read::<Sample>(&map(json!({"keyServerID": 1, "hostNames": ["a", 2]}))).unwrap_err();
        assert!(inner.message.starts_with("parameter `hostNames`"), "{inner}");
    }
}
