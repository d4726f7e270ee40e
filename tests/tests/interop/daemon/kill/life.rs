//! The calls of a node's life, in their order, and what each changes.

use sear_tests::rig::Local;
use serde_json::{Value, json};

use super::world::{PLACED, PLACES_DIR, World};

/// The sizes of the volume that grows: whole megabytes, and whole sectors.
const SMALL: u64 = 1_024_000_000;
const LARGE: u64 = 2_048_000_000;

/// A call, and the facts that it changes.
pub(super) struct Step {
    pub(super) method: &'static str,
    /// What it takes, before that was ever measured here.
    pub(super) millis: u64,
    pub(super) params: fn(&World, &Local) -> Value,
    /// Facts that are gone afterwards, by their beginnings.
    pub(super) without: &'static [&'static str],
    /// Facts that are there instead; with a star at the end, a beginning of a new one.
    pub(super) with: fn(&World) -> Vec<String>,
}

/// Shorter than a structure.
const fn step(
    method: &'static str,
    millis: u64,
    params: fn(&World, &Local) -> Value,
    without: &'static [&'static str],
    with: fn(&World) -> Vec<String>,
) -> Step {
    Step { method, millis, params, without, with }
}

/// What is there with the cluster.
fn fresh(_: &World) -> Vec<String> {
    let facts = ["cluster active", "key \"internal\" *", "pair xKeyPairDoesNotExist", "drive 1 \"active\""];
    facts.into_iter().chain(["drive 2 \"active\""]).map(str::to_owned).collect()
}

fn lines<const N: usize>(lines: [&str; N]) -> Vec<String> {
    lines.map(str::to_owned).to_vec()
}

fn server(world: &World, name: &str, number: usize, provider: &str) -> Vec<String> {
    vec![format!("server \"{name}\" {} {provider}", world.servers[number].port())]
}

fn volume(size: u64, access: &str) -> Vec<String> {
    vec![format!("volume \"vol\" \"active\" {size} \"{access}\" served {size}")]
}

fn drives(_: &World, _: &Local) -> Value {
    json!({"drives": [2]})
}

pub(super) const LIFE: [Step; 26] = [
    step("CreateCluster", 200, |_, _| World::cluster(), &["cluster "], fresh),
    step(
        "CreateVolume",
        40,
        |_, _| new_volume("kept"),
        &[],
        |_| vec![format!("volume \"kept\" \"active\" {SMALL} \"readWrite\" served {SMALL}")],
    ),
    step(
        "CreateVolumeAt",
        40,
        |world, _| {
            let path = world.node.sear().path(PLACES_DIR).join(PLACED);
            json!({"name": PLACED, "path": path, "totalSize": SMALL})
        },
        &[],
        |_| vec![format!("volume \"{PLACED}\" \"active\" {SMALL} \"readWrite\" served {SMALL}")],
    ),
    step("CreatePublicPrivateKeyPair", 20, |_, _| json!({"commonName": "a"}), &["pair "], |_| lines(["pair *"])),
    step("CreatePublicPrivateKeyPair", 20, |_, _| json!({"commonName": "b"}), &["pair "], |_| lines(["pair *"])),
    step(
        "CreateKeyServerKmip",
        20,
        |world, local| world.new_server(local, "one", 0),
        &[],
        |world| server(world, "one", 0, "null"),
    ),
    step(
        "CreateKeyProviderKmip",
        20,
        |_, _| json!({"keyProviderName": "p"}),
        &[],
        |_| lines(["provider \"p\" active false"]),
    ),
    step(
        "ModifyKeyServerKmip",
        60,
        |_, local| json!({"keyServerID": id(local, "one"), "kmipKeyServerName": "uno"}),
        &["server \"one\""],
        |world| server(world, "uno", 0, "null"),
    ),
    step(
        "AddKeyServerToProviderKmip",
        80,
        |_, local| json!({"keyProviderID": 1, "keyServerID": id(local, "uno")}),
        &["server \"uno\""],
        |world| server(world, "uno", 0, "1"),
    ),
    step("CreateVolume", 40, |_, _| new_volume("vol"), &[], |_| volume(SMALL, "readWrite")),
    step(
        "RekeySoftwareEncryptionAtRestMasterKey",
        300,
        |_, _| external(),
        &["key ", "provider \"p\""],
        |_| lines(["key \"external\" 1 *", "provider \"p\" active true"]),
    ),
    step(
        "CreateKeyServerKmip",
        20,
        |world, local| world.new_server(local, "two", 1),
        &[],
        |world| server(world, "two", 1, "null"),
    ),
    step(
        "AddKeyServerToProviderKmip",
        150,
        |_, local| json!({"keyProviderID": 1, "keyServerID": id(local, "two")}),
        &["server \"two\""],
        |world| server(world, "two", 1, "1"),
    ),
    step(
        "ModifyVolume",
        30,
        |_, local| json!({"volumeID": volume_id(local), "totalSize": LARGE}),
        &["volume \"vol\""],
        |_| volume(LARGE, "readWrite"),
    ),
    step(
        "RekeySoftwareEncryptionAtRestMasterKey",
        400,
        |_, _| json!({}),
        &["key "],
        |_| lines(["key \"external\" 1 *"]),
    ),
    step(
        "RemoveKeyServerFromProviderKmip",
        20,
        |_, local| json!({"keyServerID": id(local, "two")}),
        &["server \"two\""],
        |world| server(world, "two", 1, "null"),
    ),
    step(
        "DeleteKeyServerKmip",
        20,
        |_, local| json!({"keyServerID": id(local, "two")}),
        &["server \"two\""],
        |_| Vec::new(),
    ),
    step("RemoveDrives", 30, drives, &["drive 2"], |_| lines(["drive 2 \"available\""])),
    step("SecureEraseDrives", 30, drives, &[], |_| Vec::new()),
    step(
        "AddDrives",
        50,
        |_, _| json!({"drives": [{"driveID": 2, "type": "slice"}]}),
        &["drive 2"],
        |_| lines(["drive 2 \"active\""]),
    ),
    step(
        "ModifyVolume",
        30,
        |_, local| json!({"volumeID": volume_id(local), "access": "readOnly"}),
        &["volume \"vol\""],
        |_| volume(LARGE, "readOnly"),
    ),
    step(
        "RekeySoftwareEncryptionAtRestMasterKey",
        200,
        |_, _| json!({"keyManagementType": "Internal"}),
        &["key ", "provider \"p\""],
        // Its last key is destroyed by the time that the rekey is over.
        |_| lines(["key \"internal\" null *", "provider \"p\" active false"]),
    ),
    step(
        "DeleteVolume",
        30,
        |_, local| json!({"volumeID": volume_id(local)}),
        &["volume \"vol\""],
        |_| vec![format!("volume \"vol\" \"deleted\" {LARGE} \"readOnly\" served none")],
    ),
    step(
        "PurgeDeletedVolume",
        30,
        |_, local| json!({"volumeID": volume_id(local)}),
        &["volume \"vol\""],
        |_| Vec::new(),
    ),
    step(
        "CreateKeyProviderKmip",
        20,
        |_, _| json!({"keyProviderName": "q"}),
        &[],
        |_| lines(["provider \"q\" active false"]),
    ),
    step(
        "DeleteKeyProviderKmip",
        20,
        |_, local| json!({"keyProviderID": find(local, ("ListKeyProvidersKmip", "kmipKeyProviders"), ("keyProviderName", "q"))["keyProviderID"]}),
        &["provider \"q\""],
        |_| Vec::new(),
    ),
];

fn new_volume(name: &str) -> Value {
    json!({"name": name, "accountID": 1, "totalSize": SMALL})
}

fn external() -> Value {
    json!({"keyManagementType": "External", "keyProviderID": 1})
}

/// The number of a key server.
fn id(local: &Local, name: &str) -> Value {
    find(local, ("ListKeyServersKmip", "kmipKeyServers"), ("kmipKeyServerName", name))["keyServerID"].clone()
}

fn volume_id(local: &Local) -> Value {
    find(local, ("ListVolumes", "volumes"), ("name", "vol"))["volumeID"].clone()
}

/// The one entry of a list whose member has this text.
fn find(local: &Local, (method, member): (&str, &str), (name, text): (&str, &str)) -> Value {
    let listed = local.ok(method, json!({}));
    let found = listed[member].as_array().into_iter().flatten().find(|entry| entry[name] == text);
    found.unwrap_or_else(|| panic!("no {name} {text} in {listed}")).clone()
}
