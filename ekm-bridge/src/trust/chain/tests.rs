use super::*;
use crate::trust::ClientKeyPair;
use crate::trust::testing::{Authority, END, START, chain};

#[test]
fn a_chain_is_read_in_order_with_everything_that_is_asked_of_it() {
    let authority = Authority::new("Test CA");
    let pair = ClientKeyPair::generate().unwrap();
    let text =
        format!("leaf first\n{}\nthen its issuer\n{}", authority.issue_client("client 1", &pair), authority.pem());
    let chain = chain(&text);
    let [leaf, issuer] = chain.certificates() else { panic!("two certificates") };
    assert_eq!((leaf.subject(), leaf.issuer(), issuer.subject()), ("CN=client 1", "CN=Test CA", "CN=Test CA"));
    assert_eq!((leaf.not_before(), leaf.not_after()), (START, END));
    assert_eq!(leaf.public_key(), pair.public_key());
    assert_eq!((leaf.is_authority(), issuer.is_authority()), (false, true));
    assert!(leaf.is_signed_by(issuer) && issuer.is_signed_by(issuer));
    assert!(!leaf.is_signed_by(&Authority::new("Test CA").chain_leaf()), "same name, another key");
}

#[test]
fn whatever_is_not_a_certificate_is_refused_by_name() {
    let authority = Authority::new("Test CA");
    let pair = ClientKeyPair::generate().unwrap();
    let request = pair.certificate_request(&crate::trust::Subject::default()).unwrap();
    let key = include_str!("../key_pair/rsa2048.test.pem");
    assert_eq!(CertificateChain::from_pem(""), Err(BadChain::Empty));
    assert_eq!(CertificateChain::from_pem("hello"), Err(BadChain::Empty));
    assert_eq!(CertificateChain::from_pem(&request), Err(BadChain::Other("certificate request")));
    assert_eq!(CertificateChain::from_pem(&format!("{}{key}", authority.pem())), Err(BadChain::PrivateKey));
    let cut: String = authority.pem().lines().take(3).collect::<Vec<_>>().join("\n");
    assert!(matches!(CertificateChain::from_pem(&cut), Err(BadChain::NotPem(_))));
    let wrong = authority.pem().replacen("MII", "AAA", 1);
    let wrong = CertificateChain::from_pem(&format!("{}{wrong}", authority.pem()));
    assert!(
        wrong == Err(BadChain::Empty) || matches!(wrong, Err(BadChain::Certificate { position: 2, .. })),
        "{wrong:?}"
    );
}

#[test]
fn the_limits_hold() {
    let pem = Authority::new("Test CA").pem();
    assert!(CertificateChain::from_pem(&pem.repeat(MAX_CERTIFICATES)).is_ok());
    assert_eq!(CertificateChain::from_pem(&pem.repeat(MAX_CERTIFICATES + 1)), Err(BadChain::TooMany));
    let long = " ".repeat(MAX_PEM_LEN + 1);
    assert_eq!(CertificateChain::from_pem(&long), Err(BadChain::TooLong(MAX_PEM_LEN + 1)));
}

#[test]
fn a_cut_or_altered_certificate_never_panics() {
    let leaf = Authority::new("Test CA").chain_leaf();
    for len in 0..leaf.der().len() {
        assert!(Certificate::parse(&leaf.der()[..len]).is_err(), "{len} bytes");
    }
    for bit in 0..leaf.der().len() * 8 {
        let mut altered = leaf.der().to_vec();
        altered[bit / 8] ^= 1 << (bit % 8);
        drop(Certificate::parse(&altered));
    }
}

impl Authority {
    fn chain_leaf(&self) -> Certificate {
        chain(&self.pem()).leaf().clone()
    }
}
