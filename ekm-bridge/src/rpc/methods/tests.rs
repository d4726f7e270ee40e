use std::collections::BTreeSet;

use super::*;
use crate::rpc::auth::Role;

#[test]
fn a_method_appears_once_and_no_other_differs_only_in_case() {
    let names: BTreeSet<String> = all().map(|method| method.name.to_ascii_lowercase()).collect();
    assert_eq!(names.len(), all().count());
    assert_eq!(names.len(), 45 + 14, "Element's and ours");
}

#[test]
fn who_may_only_read_may_call_exactly_what_begins_with_get_or_list() {
    for method in all() {
        let reads = method.name.starts_with("Get") || method.name.starts_with("List");
        assert_eq!(method.role == Role::ReadOnly, reads, "{}", method.name);
    }
}

#[test]
fn a_method_is_found_in_any_case() {
    for name in ["GetAPI", "getapi", "GETAPI"] {
        assert_eq!(find(name, Version::CURRENT, Port::Cluster).map(|method| method.name).unwrap(), "GetAPI");
    }
}

#[test]
fn an_unknown_method_is_named_in_the_error() {
    for name in ["", "GetAPI ", "NoSuchMethod"] {
        let error = find(name, Version::CURRENT, Port::Any).err().unwrap();
        assert_eq!((error.name, error.message), (ErrorName::UnknownApiMethod, format!("method={name}")));
    }
}

#[test]
fn a_method_is_unknown_before_its_version() {
    let at = |major, minor| find("RekeySoftwareEncryptionAtRestMasterKey", Version::new(major, minor), Port::Cluster);
    assert!(at(12, 3).is_ok());
    assert_eq!(at(12, 2).err().unwrap().name, ErrorName::UnknownApiMethod);
}

#[test]
fn a_port_has_its_own_methods() {
    let has = |name, port| find(name, Version::CURRENT, port).is_ok();
    assert!(has("ResetDrives", Port::Node) && !has("ResetDrives", Port::Cluster) && has("ResetDrives", Port::Any));
    assert!(!has("ListDrives", Port::Node) && has("ListDrives", Port::Cluster) && has("ListDrives", Port::Any));
    assert!([Port::Node, Port::Cluster, Port::Any].iter().all(|port| has("GetAPI", *port)));
}

#[test]
fn before_there_is_a_cluster_only_what_leads_to_one_answers() {
    let anybody = Caller::Anybody { may_create_cluster: true };
    let answering: Vec<&str> = all().filter(|method| anybody.check(method).is_ok()).map(|method| method.name).collect();
    assert_eq!(answering, ["GetAPI", "CreateCluster", "GetClusterState", "GetLimits"]);
    let stranger = Caller::Anybody { may_create_cluster: false };
    let create = find("CreateCluster", Version::CURRENT, Port::Any).unwrap();
    assert_eq!(stranger.check(create).unwrap_err().name, ErrorName::PermissionDenied);
}

#[test]
fn roles_are_kept() {
    for method in all() {
        let user = |role| Caller::User { name: "somebody".into(), role };
        assert!(user(Role::Administrator).check(method).is_ok());
        let outcome = user(Role::ReadOnly).check(method).map_err(|error| error.name);
        let expected = if method.role == Role::ReadOnly { Ok(()) } else { Err(ErrorName::PermissionDenied) };
        assert_eq!(outcome, expected, "{}", method.name);
    }
}

#[test]
fn every_method_is_in_the_documentation_with_its_version_and_role() {
    let page = include_str!("../../../../docs/rpc.md");
    for method in all() {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{}` |", method.name)));
        let row = row.unwrap_or_else(|| panic!("docs/rpc.md does not describe {}", method.name));
        let begin =
            format!("| `{}` | {} | {} | {} |", method.name, method.since, method.scope.as_str(), method.role.as_str());
        assert!(row.starts_with(&begin), "docs/rpc.md says {row}, the table says {begin}");
    }
    for name in ErrorName::ALL {
        assert!(page.contains(&format!("`{}`", name.as_str())), "docs/rpc.md does not explain {}", name.as_str());
    }
}
