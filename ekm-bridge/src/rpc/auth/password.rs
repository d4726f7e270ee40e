//! Hashed passwords: Argon2id (RFC 9106) in the PHC string format, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.

use std::sync::LazyLock;

use argon2::{Algorithm, Argon2, Params, Version};
use base64ct::{Base64Unpadded, Encoding};
use keywrap::secret::Secret;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::rpc::error::{ApiError, ErrorName};
use crate::rpc::types::cluster::Password;

const SALT_LEN: usize = 16;
const HASH_LEN: usize = 32;
/// The cost of new hashes: OWASP's first choice for Argon2id when memory is to be spared.
const COST: Cost = Cost { memory_kib: 19_456, passes: 2, lanes: 1 };
/// The most that a stored hash may ask for.
const MAX_COST: Cost = Cost { memory_kib: 1 << 18, passes: 16, lanes: 4 };

/// A hash in place of one that is not there, so that an unknown user takes as long as a wrong password.
static DECOY: LazyLock<PasswordHash> =
    LazyLock::new(|| PasswordHash { cost: COST, salt: [0; SALT_LEN], hash: [0; HASH_LEN] });

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// A password that can be recognised and not read.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    cost: Cost,
    salt: [u8; SALT_LEN],
    hash: [u8; HASH_LEN],
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

impl PasswordHash {
    /// Hashes a password with a new salt. Takes tens of milliseconds and 19 MiB.
    ///
    /// # Errors
    /// `xAssertionFailure` when the operating system gives no randomness or memory.
    pub fn of(password: &Password) -> Result<Self, ApiError> {
        let failed = || ApiError::new(ErrorName::AssertionFailure, "no randomness or memory to hash a password");
        let salt = *Secret::<SALT_LEN>::random().map_err(|_| failed())?.expose_secret();
        let hash = compute(COST, &salt, password).ok_or_else(failed)?;
        Ok(Self { cost: COST, salt, hash: *hash })
    }

    /// Whether this is the hash of `password`; false also when there is no memory to find out.
    #[must_use]
    pub fn is_of(&self, password: &Password) -> bool {
        compute(self.cost, &self.salt, password).is_some_and(|hash| hash.as_slice().ct_eq(&self.hash).into())
    }

    /// Takes as long as [`Self::is_of`] and recognises nothing.
    pub fn pretend(password: &Password) {
        let _ = DECOY.is_of(password);
    }

    /// Reads what [`Self::to_phc`] wrote; `None` for other functions, sizes and costs out of reach.
    #[must_use]
    pub fn parse(phc: &str) -> Option<Self> {
        let mut parts = phc.strip_prefix("$argon2id$v=19$")?.split('$');
        let cost = Cost::parse(parts.next()?)?;
        let (mut salt, mut hash) = ([0; SALT_LEN], [0; HASH_LEN]);
        decode(parts.next()?, &mut salt)?;
        decode(parts.next()?, &mut hash)?;
        parts.next().is_none().then_some(Self { cost, salt, hash })
    }

    /// The PHC string, to be stored.
    #[must_use]
    pub fn to_phc(&self) -> String {
        let Cost { memory_kib, passes, lanes } = self.cost;
        let (salt, hash) = (Base64Unpadded::encode_string(&self.salt), Base64Unpadded::encode_string(&self.hash));
        format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}")
    }
}

impl Cost {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(',');
        let mut number = |name: &str| parts.next()?.strip_prefix(name)?.parse().ok();
        let cost = Self { memory_kib: number("m=")?, passes: number("t=")?, lanes: number("p=")? };
        let fits =
            cost.memory_kib <= MAX_COST.memory_kib && cost.passes <= MAX_COST.passes && cost.lanes <= MAX_COST.lanes;
        (parts.next().is_none() && fits).then_some(cost)
    }
}

fn decode(text: &str, out: &mut [u8]) -> Option<()> {
    let expected = out.len();
    let decoded = Base64Unpadded::decode(text, out).ok()?;
    (decoded.len() == expected).then_some(())
}

fn compute(cost: Cost, salt: &[u8], password: &Password) -> Option<Zeroizing<[u8; HASH_LEN]>> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(HASH_LEN)).ok()?;
    let mut hash = Zeroizing::new([0; HASH_LEN]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.expose_secret().as_bytes(), salt, hash.as_mut_slice())
        .ok()?;
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    #[test]
    fn a_password_is_recognised_and_others_are_not() {
        let hash = PasswordHash::of(&password("correct horse")).unwrap();
        assert!(hash.is_of(&password("correct horse")));
        for wrong in ["", "correct horsf", "correct horse ", "Correct horse"] {
            assert!(!hash.is_of(&password(wrong)), "{wrong:?}");
        }
        assert!(!DECOY.is_of(&password("")));
    }

    #[test]
    fn equal_passwords_have_different_hashes() {
        let [one, two] = [(); 2].map(|()| PasswordHash::of(&password("correct horse")).unwrap().to_phc());
        assert_ne!(one, two);
    }

    #[test]
    fn a_stored_hash_reads_back() {
        let hash = PasswordHash::of(&password("correct horse")).unwrap();
        assert!(hash.to_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(PasswordHash::parse(&hash.to_phc()), Some(hash));
    }

    #[test]
    fn a_hash_made_by_another_program_is_recognised() {
        // argon2-cffi 25.1, which wraps the reference implementation:
        // hash_secret(b"correct horse", b"sixteenbytesalt!", 2, 19456, 1, 32, Type.ID)
        let phc = "$argon2id$v=19$m=19456,t=2,p=1$c2l4dGVlbmJ5dGVzYWx0IQ$v1jcTHgi+GvfSHLCnx8x7+QpnDZ7XvK8361JUf38ttA";
        assert!(PasswordHash::parse(phc).unwrap().is_of(&password("correct horse")));
    }

    #[test]
    fn damaged_and_foreign_hashes_are_refused() {
        let good = DECOY.to_phc();
        assert!(PasswordHash::parse(&good).is_some());
        let bad = [
            good.replace("argon2id", "argon2i"),
            good.replace("v=19", "v=16"),
            good.replace("m=19456", "m=4294967295"),
            good.replace("t=2", "t=1000"),
            good.replace("p=1", "p=64"),
            good.replace("p=1", "p=1,x=2"),
            format!("{good}$"),
            good[..good.len() - 1].to_owned(),
            String::new(),
        ];
        for phc in bad {
            assert!(PasswordHash::parse(&phc).is_none(), "{phc}");
        }
    }
}
