use super::*;
use crate::trust::ClientKeyPair;
use crate::trust::testing::{Authority, DAY, END, START, chain};

fn certificate() -> Certificate {
    chain(&Authority::new("CA").issue_client("client", &ClientKeyPair::generate().unwrap())).leaf().clone()
}

fn at(certificate: &Certificate, now: u64) -> Option<(Severity, String)> {
    let watched = Watched { key_server: 3, name: "vault", role: Role::Client, certificate };
    let mut alarms = watch(&[watched], UnixSeconds(now));
    assert!(alarms.len() <= 1);
    alarms.pop().map(|alarm| (alarm.severity, alarm.details))
}

#[test]
fn alarms_are_due_at_30_7_and_3_days_and_after_the_end_to_the_second() {
    let certificate = certificate();
    for (now, expected) in [
        (START.0 - 1, Some(Severity::Error)),
        (START.0, None),
        (END.0 - 30 * DAY - 1, None),
        (END.0 - 30 * DAY, Some(Severity::Warning)),
        (END.0 - 7 * DAY - 1, Some(Severity::Warning)),
        (END.0 - 7 * DAY, Some(Severity::Error)),
        (END.0 - 3 * DAY - 1, Some(Severity::Error)),
        (END.0 - 3 * DAY, Some(Severity::Critical)),
        (END.0, Some(Severity::Critical)),
        (END.0 + 1, Some(Severity::Critical)),
    ] {
        let found = at(&certificate, now);
        assert_eq!(found.as_ref().map(|(severity, _)| *severity), expected, "{now}: {found:?}");
    }
}

#[test]
fn details_name_the_certificate_the_key_server_and_the_way_out() {
    let certificate = certificate();
    let (_, details) = at(&certificate, END.0 - 30 * DAY).unwrap();
    for part in ["client certificate", "key server vault (ID 3)", "CN=client", "in 30 days", "ModifyKeyServerKmip"] {
        assert!(details.contains(part), "{part}: {details}");
    }
    assert!(at(&certificate, END.0 - DAY).unwrap().1.contains("in 1 day."));
    assert!(at(&certificate, END.0).unwrap().1.contains("in less than a day."));
    assert!(at(&certificate, END.0 + 1).unwrap().1.contains("ended on 2024-11-13"));
}

#[test]
fn the_worst_comes_first_and_each_certificate_has_an_alarm_of_its_own() {
    let (mine, theirs) = (certificate(), certificate());
    let watched = [
        Watched { key_server: 1, name: "a", role: Role::Authority, certificate: &mine },
        Watched { key_server: 2, name: "b", role: Role::Server, certificate: &theirs },
    ];
    let alarms = watch(&watched, UnixSeconds(END.0 - 20 * DAY));
    assert_eq!(alarms.iter().map(|alarm| alarm.severity).collect::<Vec<_>>(), [Severity::Warning; 2]);
    assert!(alarms[0].about.starts_with("key server 1: CA certificate "));
    assert_ne!(alarms[0].about, alarms[1].about);
    assert!(alarms.iter().all(|alarm| alarm.code == AlarmCode::KmipCertificateFault));
}
