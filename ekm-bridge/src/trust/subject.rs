//! The name that a certificate request asks for.

use rcgen::string::{Ia5String, PrintableString};
use rcgen::{DistinguishedName, DnType, DnValue};
use serde::{Deserialize, Serialize};

/// `emailAddress` (PKCS #9, RFC 2985 §5.2.1).
const EMAIL_ADDRESS: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 1];

/// A distinguished name, its parts named as the parameters of `CreatePublicPrivateKeyPair`. Missing and empty parts are
/// left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Subject {
    /// CN, at most 64 characters. Key servers commonly take it as the user's name.
    pub common_name: Option<String>,
    /// O, at most 64 characters.
    pub organization: Option<String>,
    /// OU, at most 64 characters.
    pub organizational_unit: Option<String>,
    /// L, at most 128 characters.
    pub locality: Option<String>,
    /// ST, at most 128 characters.
    pub state: Option<String>,
    /// C, exactly two letters (ISO 3166-1).
    pub country: Option<String>,
    /// E-mail address, at most 255 ASCII characters.
    pub email_address: Option<String>,
}

/// Why a certificate cannot carry such a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSubject {
    /// Longer than RFC 5280 (appendix A.1) allows.
    #[error("{field} has {len} characters; a certificate holds at most {max}")]
    TooLong {
        /// The field, as the API calls it.
        field: &'static str,
        /// Its length in characters.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// Not a country code.
    #[error("country {0:?} is not a code of two letters, such as DE or US")]
    Country(String),
    /// An e-mail address in a certificate is ASCII (RFC 5280 §4.1.2.6).
    #[error("emailAddress {0:?} contains characters that are not ASCII")]
    Email(String),
    /// Control characters would make two names look the same.
    #[error("{field} contains a control character")]
    Control {
        /// The field.
        field: &'static str,
    },
}

impl Subject {
    /// The same subject, with `name` as its common name if it has none: many authorities refuse a request without one.
    #[must_use]
    pub fn or_named(mut self, name: &str) -> Self {
        if self.common_name.as_deref().is_none_or(str::is_empty) {
            self.common_name = Some(name.to_owned());
        }
        self
    }

    /// The name in the customary order, from the country down.
    pub(super) fn distinguished_name(&self) -> Result<DistinguishedName, BadSubject> {
        let mut name = DistinguishedName::new();
        if let Some(country) = part("country", self.country.as_deref(), usize::MAX)? {
            name.push(DnType::CountryName, country_code(country)?);
        }
        for (field, value, max, kind) in self.texts() {
            if let Some(text) = part(field, value, max)? {
                name.push(kind, text);
            }
        }
        if let Some(address) = part("emailAddress", self.email_address.as_deref(), 255)? {
            let text = Ia5String::try_from(address).map_err(|_| BadSubject::Email(address.to_owned()))?;
            name.push(DnType::CustomDnType(EMAIL_ADDRESS.to_vec()), DnValue::Ia5String(text));
        }
        Ok(name)
    }

    /// The parts that are plain text: name, value, upper bound (RFC 5280 appendix A.1), type.
    fn texts(&self) -> [(&'static str, Option<&str>, usize, DnType); 5] {
        [
            ("state", self.state.as_deref(), 128, DnType::StateOrProvinceName),
            ("locality", self.locality.as_deref(), 128, DnType::LocalityName),
            ("organization", self.organization.as_deref(), 64, DnType::OrganizationName),
            ("organizationalUnit", self.organizational_unit.as_deref(), 64, DnType::OrganizationalUnitName),
            ("commonName", self.common_name.as_deref(), 64, DnType::CommonName),
        ]
    }
}

/// One part of the name; `None` when it is missing or empty.
fn part<'a>(field: &'static str, value: Option<&'a str>, max: usize) -> Result<Option<&'a str>, BadSubject> {
    let Some(text) = value.filter(|text| !text.is_empty()) else { return Ok(None) };
    let len = text.chars().count();
    if len > max {
        return Err(BadSubject::TooLong { field, len, max });
    }
    if text.chars().any(char::is_control) {
        return Err(BadSubject::Control { field });
    }
    Ok(Some(text))
}

fn country_code(text: &str) -> Result<DnValue, BadSubject> {
    let bad = || BadSubject::Country(text.to_owned());
    if text.len() != 2 || !text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(bad());
    }
    PrintableString::try_from(text.to_ascii_uppercase()).map(DnValue::PrintableString).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_the_limit_of_the_standard() {
        let long = |len: usize| Some("x".repeat(len));
        assert!(Subject { common_name: long(64), ..Subject::default() }.distinguished_name().is_ok());
        let error = Subject { common_name: long(65), ..Subject::default() }.distinguished_name().unwrap_err();
        assert_eq!(error, BadSubject::TooLong { field: "commonName", len: 65, max: 64 });
        let error = Subject { locality: long(129), ..Subject::default() }.distinguished_name().unwrap_err();
        assert_eq!(error, BadSubject::TooLong { field: "locality", len: 129, max: 128 });
        let subject = Subject { organization: Some("a\u{0}b".into()), ..Subject::default() };
        assert_eq!(subject.distinguished_name().unwrap_err(), BadSubject::Control { field: "organization" });
    }

    #[test]
    fn a_country_is_two_letters_and_an_address_is_ascii() {
        for bad in ["D", "DEU", "D1", "Ü"] {
            let subject = Subject { country: Some(bad.into()), ..Subject::default() };
            assert_eq!(subject.distinguished_name().unwrap_err(), BadSubject::Country(bad.into()));
        }
        let subject = Subject { email_address: Some("ä@example.org".into()), ..Subject::default() };
        assert_eq!(subject.distinguished_name().unwrap_err(), BadSubject::Email("ä@example.org".into()));
    }

    #[test]
    fn only_a_missing_common_name_is_filled_in() {
        let named = Subject { common_name: Some("mine".into()), ..Subject::default() };
        assert_eq!(named.clone().or_named("sear"), named);
        let empty = Subject { common_name: Some(String::new()), ..Subject::default() };
        assert_eq!(empty.or_named("sear").common_name.as_deref(), Some("sear"));
    }
}
