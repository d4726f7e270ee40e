use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::ParsedExtension;

use super::*;

/// Made by `openssl genpkey` for this test alone.
const RSA: &str = include_str!("rsa2048.test.pem");

fn secret(text: &str) -> SecretBytes {
    SecretBytes::copy_from(text.as_bytes())
}

fn full_subject() -> Subject {
    Subject {
        common_name: Some("sear-cluster".into()),
        organization: Some("Example GmbH".into()),
        organizational_unit: Some("Storage".into()),
        locality: Some("München".into()),
        state: Some("Bayern".into()),
        country: Some("de".into()),
        email_address: Some("storage@example.org".into()),
    }
}

fn der(request: &str) -> Vec<u8> {
    let (kind, der) = <(SectionKind, Vec<u8>)>::from_pem_slice(request.as_bytes()).unwrap();
    assert_eq!(kind, SectionKind::Csr);
    der
}

/// The request is signed by its own key, and asks for what key servers demand.
fn check_request(pair: &ClientKeyPair, request: &str) {
    let der = der(request);
    let (rest, parsed) = X509CertificationRequest::from_der(&der).unwrap();
    assert!(rest.is_empty());
    parsed.verify_signature().unwrap();
    assert_eq!(parsed.certification_request_info.subject_pki.raw, pair.public_key());
    let extensions: Vec<&ParsedExtension<'_>> = parsed.requested_extensions().unwrap().collect();
    let usage = extensions.iter().find_map(|extension| match extension {
        ParsedExtension::KeyUsage(usage) => Some((usage.digital_signature(), usage.key_encipherment(), usage.flags)),
        _ => None,
    });
    assert_eq!(usage, Some((true, true, 0b101)), "digitalSignature and keyEncipherment, nothing else");
    let extended = extensions.iter().find_map(|extension| match extension {
        ParsedExtension::ExtendedKeyUsage(usage) => Some((usage.client_auth, usage.server_auth, usage.any)),
        _ => None,
    });
    assert_eq!(extended, Some((true, false, false)));
}

#[test]
fn a_request_carries_every_part_of_the_subject_and_the_usages_of_a_client() {
    let pair = ClientKeyPair::generate().unwrap();
    let request = pair.certificate_request(&full_subject()).unwrap();
    check_request(&pair, &request);
    let der = der(&request);
    let (_, parsed) = X509CertificationRequest::from_der(&der).unwrap();
    let name = parsed.certification_request_info.subject.to_string();
    assert_eq!(
        name,
        "C=DE, ST=Bayern, L=München, O=Example GmbH, OU=Storage, CN=sear-cluster, Email=storage@example.org"
    );
}

#[test]
fn the_key_usage_of_a_request_is_critical() {
    let pair = ClientKeyPair::generate().unwrap();
    let der = der(&pair.certificate_request(&full_subject()).unwrap());
    // keyUsage (2.5.29.15), critical TRUE, then the bits: OID 55 1d 0f, BOOLEAN 01 01 ff.
    let critical = [0x55, 0x1d, 0x0f, 0x01, 0x01, 0xff];
    assert!(der.windows(critical.len()).any(|window| window == critical));
}

#[test]
fn two_key_pairs_differ_and_each_comes_back_from_its_private_key() {
    let (a, b) = (ClientKeyPair::generate().unwrap(), ClientKeyPair::generate().unwrap());
    assert_ne!(a.public_key(), b.public_key());
    let again = ClientKeyPair::from_pkcs8(a.private_key()).unwrap();
    assert_eq!((again.public_key(), again.algorithm()), (a.public_key(), KeyAlgorithm::EcdsaP256));
    assert_eq!(a.describe(), "ECDSA P-256");
}

#[test]
fn an_rsa_key_is_imported_and_signs() {
    let pair = ClientKeyPair::import_pem(&secret(RSA)).unwrap();
    assert_eq!((pair.algorithm(), pair.describe()), (KeyAlgorithm::Rsa, "RSA-2048".into()));
    check_request(&pair, &pair.certificate_request(&full_subject()).unwrap());
}

#[test]
fn an_imported_key_may_stand_between_other_text() {
    let text = format!("Bag Attributes\n  friendlyName: sear\n{RSA}and more\n");
    assert!(ClientKeyPair::import_pem(&secret(&text)).is_ok());
}

#[test]
fn text_without_a_usable_private_key_is_refused_and_says_how_to_convert() {
    let sec1 = RSA.replace("PRIVATE KEY", "EC PRIVATE KEY");
    for text in ["", "no key", &sec1, "-----BEGIN PRIVATE KEY-----\n!!!\n-----END PRIVATE KEY-----\n"] {
        let error = ClientKeyPair::import_pem(&secret(text)).err().unwrap();
        assert!(matches!(error, KeyPairError::NotPkcs8), "{error}");
        assert!(error.to_string().contains("openssl pkcs8"), "{error}");
    }
    let garbage = ClientKeyPair::from_pkcs8(&secret("not DER")).err().unwrap();
    assert!(matches!(garbage, KeyPairError::Unsupported(_)), "{garbage}");
}

#[test]
fn a_bad_subject_makes_no_request() {
    let pair = ClientKeyPair::generate().unwrap();
    let subject = Subject { country: Some("Germany".into()), ..Subject::default() };
    assert!(matches!(pair.certificate_request(&subject), Err(KeyPairError::Subject(_))));
}
