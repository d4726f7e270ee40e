//! The `Authorization` header of basic authentication (RFC 7617).

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::rpc::types::cluster::Password;

/// The longest header value that is read; names and passwords that are accepted need less.
const MAX_LEN: usize = 2_048;

/// A user name and what is said to be the password.
#[derive(Clone)]
pub struct Credentials {
    /// The name; it holds no colon.
    pub user: String,
    /// The password.
    pub password: Password,
}

impl Credentials {
    /// Reads the value of the header; `None` for other schemes and whatever is not well formed.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let (scheme, encoded) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > MAX_LEN {
            return None;
        }
        let bytes = Zeroizing::new(Base64::decode_vec(encoded.trim()).ok()?);
        let (user, password) = str::from_utf8(&bytes).ok()?.split_once(':')?;
        Some(Self { user: user.to_owned(), password: Password::new(password.to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_is_read() {
        // RFC 7617 §2 and §2.1.
        let aladdin = Credentials::parse("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==").unwrap();
        assert_eq!((aladdin.user.as_str(), aladdin.password.expose_secret()), ("Aladdin", "open sesame"));
        let test = Credentials::parse("basic dGVzdDoxMjPCow==").unwrap();
        assert_eq!((test.user.as_str(), test.password.expose_secret()), ("test", "123£"));
    }

    #[test]
    fn a_password_may_hold_colons_and_be_empty() {
        let parse =
            |text: &str| Credentials::parse(&format!("Basic {}", Base64::encode_string(text.as_bytes()))).unwrap();
        assert_eq!(parse("a:b:c").password.expose_secret(), "b:c");
        assert_eq!(parse("a:").password.expose_secret(), "");
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for header in ["", "Basic", "Basic ", "Basic !!!", "Bearer QTpi", "Basic QQ==", "Basic gIA6gA=="] {
            assert!(Credentials::parse(header).is_none(), "{header:?}");
        }
        let long = format!("Basic {}", Base64::encode_string(&[b':'; 4_000]));
        assert!(Credentials::parse(&long).is_none());
    }
}
