use rcgen::ExtendedKeyUsagePurpose::{Any, ClientAuth as ForClients, ServerAuth};

use super::*;
use crate::trust::ClientKeyPair;
use crate::trust::testing::{Authority, END, START, chain};

fn pair() -> ClientKeyPair {
    ClientKeyPair::generate().unwrap()
}

#[test]
fn a_good_client_certificate_has_no_problem() {
    let (authority, pair) = (Authority::new("CA"), pair());
    let client = authority.issue_client("client", &pair);
    assert_eq!(check_client(&chain(&client), pair.public_key(), START), []);
    assert_eq!(check_client(&chain(&format!("{client}{}", authority.pem())), pair.public_key(), END), []);
    let any = authority.issue("client", &pair, &[Any]);
    assert_eq!(check_client(&chain(&any), pair.public_key(), START), []);
}

#[test]
fn each_problem_of_a_client_certificate_is_found_and_weighed() {
    let (authority, own) = (Authority::new("CA"), pair());
    let subject = || "CN=client".to_owned();
    let of = |pem: &str, now| check_client(&chain(pem), own.public_key(), now);
    let good = authority.issue_client("client", &own);
    let late = UnixSeconds(END.0 + 1);
    let early = UnixSeconds(START.0 - 1);
    assert_eq!(of(&good, late), [Problem::Expired { subject: subject(), not_after: END }]);
    assert_eq!(of(&good, early), [Problem::NotYetValid { subject: subject(), not_before: START }]);
    let other = authority.issue_client("client", &pair());
    assert_eq!(of(&other, START), [Problem::OtherKey { subject: subject() }]);
    let server = authority.issue("client", &own, &[ServerAuth]);
    assert_eq!(of(&server, START), [Problem::NotForClients { subject: subject() }]);
    let silent = authority.issue("client", &own, &[]);
    let problems = of(&silent, START);
    assert_eq!(problems, [Problem::ClientAuthNotNamed { subject: subject() }]);
    assert!(!problems[0].is_fatal());
    let broken = format!("{}{}", authority.issue("client", &own, &[ForClients, ServerAuth]), Authority::new("X").pem());
    assert_eq!(of(&broken, START), [Problem::ChainBroken { subject: subject() }]);
}

#[test]
fn only_authorities_are_authorities() {
    let authority = Authority::new("CA");
    assert_eq!(check_authorities(&chain(&authority.pem()), START), []);
    let both = format!("{}{}", authority.pem(), authority.issue("server", &pair(), &[ServerAuth]));
    let problems = check_authorities(&chain(&both), START);
    assert_eq!(problems, [Problem::NotAuthority { subject: "CN=server".into() }]);
    assert!(problems[0].is_fatal());
    let expired = check_authorities(&chain(&authority.pem()), UnixSeconds(END.0 + 1));
    assert_eq!(expired, [Problem::Expired { subject: "CN=CA".into(), not_after: END }]);
}

#[test]
fn a_message_says_when_and_what_to_do() {
    let problem = Problem::Expired { subject: "CN=client".into(), not_after: UnixSeconds(0) };
    assert_eq!(problem.to_string(), "the certificate of CN=client ended on 1970-01-01 00:00 UTC; get a new one");
}
