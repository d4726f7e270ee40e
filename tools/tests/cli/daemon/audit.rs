//! `audit-required`: what cannot be recorded is not done.

use super::{CREATE_VOLUME, api, configure, create_volume, rig};

#[test]
fn with_a_full_log_that_is_required_nothing_is_changed_and_everything_can_be_read() {
    let rig = rig();
    let daemon = rig.daemon();
    create_volume(&rig);
    daemon.stop();
    configure(&rig, "audit-required = true\naudit-limit-mib = 0\n");
    let daemon = rig.daemon();
    rig.run(["api", "CreateVolume", CREATE_VOLUME])
        .fails(1, &["xAuditLogUnavailable", "CreateVolume was not carried out", "reached its limit", "archive it"]);
    rig.run(["api", "DeleteVolume", r#"{"volumeID":1}"#]).fails(1, &["xAuditLogUnavailable"]);
    let volumes = api(&rig, "ListVolumes", "{}")["volumes"].clone();
    assert!(volumes.as_array().unwrap().len() == 1 && volumes[0]["status"] == "active", "{volumes}");
    daemon.stop();
    configure(&rig, "audit-limit-mib = 0\n");
    let daemon = rig.daemon();
    let deleted = api(&rig, "DeleteVolume", r#"{"volumeID":1}"#)["volume"].clone();
    assert!(deleted["purgeTime"].as_str() > deleted["deleteTime"].as_str(), "{deleted}");
    daemon.stop();
}
