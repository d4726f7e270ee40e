//! Enumerations: written exactly as documented, read in any case.

/// Defines an enumeration of words.
macro_rules! words {
    ($(#[doc = $doc:literal])* $name:ident { $( $(#[doc = $variant_doc:literal])* $variant:ident = $word:literal, )* }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $( $(#[doc = $variant_doc])* $variant, )* }

        impl $name {
            /// Every word of the enumeration.
            pub const ALL: &[Self] = &[ $( Self::$variant, )* ];

            /// The word on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <String as serde::Deserialize>::deserialize(deserializer)?;
                let found = Self::ALL.iter().copied().find(|known| known.as_str().eq_ignore_ascii_case(&word));
                found.ok_or_else(|| {
                    let known: Vec<&str> = Self::ALL.iter().map(|known| known.as_str()).collect();
                    let bad = crate::rpc::params::BAD_WORD;
                    serde::de::Error::custom(format_args!("{bad} {word:?}; one of {}", known.join(", ")))
                })
            }
        }
    };
}

pub(super) use words;

#[cfg(test)]
mod tests {
    use crate::rpc::types::volumes::ProtectionScheme;

    #[test]
    fn words_are_written_exactly_and_read_in_any_case() {
        assert_eq!(serde_json::to_string(&ProtectionScheme::DoubleHelix).unwrap(), r#""doubleHelix""#);
        for word in [r#""doubleHelix""#, r#""DOUBLEHELIX""#, r#""doublehelix""#] {
            assert_eq!(serde_json::from_str::<ProtectionScheme>(word).unwrap(), ProtectionScheme::DoubleHelix);
        }
    }

    #[test]
    fn another_word_is_refused_with_the_list_of_known_ones() {
        let error = serde_json::from_str::<ProtectionScheme>(r#""triple""#).unwrap_err().to_string();
        let begin = r#"unrecognized enum string "triple"; one of singleHelix, doubleHelix, tripleHelix"#;
        assert!(error.starts_with(begin), "{error}");
    }
}
