//! Every verb of `sear volume`, and `sear up`, by the real program while a daemon has the state directory; judged by
//! cryptsetup, and by clients over NBD.

use std::fs;
use std::path::{Path, PathBuf};

use sear_tests::rig::{Cryptsetup, Daemon, LoopDevice, LoopMode, Need, Node, Run, filled_file, require, wait_until};
use serde_json::{Value, json};

const NEEDS: [Need; 2] = [Need::Tool("cryptsetup"), Need::Tool("qemu-io")];
const MIB: u64 = 1 << 20;

/// A node whose daemon may use one directory outside of its state.
struct World {
    node: Node,
    places: PathBuf,
}

impl World {
    fn new() -> Self {
        let node = Node::new();
        let places = node.sear().path("places");
        fs::create_dir(&places).expect("a directory can be made");
        let line = format!("places = {}", json!([places]));
        Self { node: node.configured(&line), places }
    }

    fn start(&self) -> Daemon {
        self.node.start()
    }

    /// A daemon with a cluster.
    fn cluster(&self) -> Daemon {
        let daemon = self.start();
        daemon.local.create_cluster("correct horse");
        daemon
    }

    fn at(&self, name: &str) -> PathBuf {
        self.places.join(name)
    }

    /// `sear VERB... PATH MORE...`; what it prints as JSON.
    fn json(&self, verb: &str, path: &Path, more: &str) -> Value {
        let words = verb.split_whitespace().map(PathBuf::from).chain([path.to_owned()]);
        self.node.sear().json(words.chain(more.split_whitespace().map(PathBuf::from)))
    }

    fn fails(&self, verb: &str, path: &Path, more: &str, code: i32) -> String {
        let failure = self.node.sear().run().words(verb).arg(path).words(more).fails();
        assert_eq!(failure.code, Some(code), "{}", failure.output);
        failure.output
    }

    fn passphrase(&self) -> Cryptsetup {
        let file = self.node.sear().path("passphrase");
        fs::write(&file, "correct horse battery staple").expect("the file can be written");
        Cryptsetup::with_key_file(file)
    }

    fn listed(&self, path: &Path) -> Value {
        let listed = self.node.sear().json(["volume", "list"]);
        let path = json!(path);
        let found = listed["volumes"].as_array().into_iter().flatten().find(|volume| volume["path"] == path);
        found.cloned().unwrap_or_default()
    }

    fn audit(&self) -> String {
        fs::read_to_string(self.node.sear().state_dir().join("audit.log")).expect("there is an audit log")
    }
}

fn uri(daemon: &Daemon, listed: &Value) -> String {
    daemon.uri(listed["export"].as_str().expect("it is exported"))
}

#[track_caller]
fn io(uri: &str, command: &str) {
    let said = Run::new("qemu-io").words("-f raw -c").arg(command).words("-c flush").arg(uri).ok();
    assert!(!said.contains("verification failed"), "{said}");
}

fn in_force(daemon: &Daemon) -> String {
    let info = daemon.local.ok("GetSoftwareEncryptionAtRestInfo", json!({}));
    info["masterKeyInfo"]["keyID"].as_str().expect("a key is in force").to_owned()
}

#[test]
fn a_volume_is_made_served_grown_given_passphrases_and_erased_through_the_daemon() {
    if !require(&NEEDS) {
        return;
    }
    let world = World::new();
    let daemon = world.cluster();
    let disk = world.at("disk.img");
    let made = world.json("volume create", &disk, "--size 32M --label mine");
    assert_eq!((&made["path"], &made["size"]), (&json!(disk), &json!(32 * MIB)));
    assert_eq!(made["key_id"], in_force(&daemon));
    assert!(world.fails("volume create", &disk, "--size 32M", 3).contains("LUKS2 volume already"));
    assert!(world.fails("volume create", &world.at("none"), "", 2).contains("no size is given"));
    let listed = world.listed(&disk);
    assert_eq!((&listed["served"], &listed["present"]), (&json!(true), &json!(true)), "{listed}");
    let export = uri(&daemon, &listed);
    io(&export, "write -P 0xa5 1M 64k");

    let grown = world.json("volume resize", &disk, "--size 48M");
    assert_eq!((&grown["size"], &grown["served"]), (&json!(48 * MIB), &json!(true)));
    io(&export, "write -P 0x5a 40M 64k");
    assert!(world.fails("volume resize", &disk, "--size 16M", 1).contains("only grows"));
    assert_eq!(fs::metadata(&disk).expect("it is there").len(), 64 * MIB);

    let cryptsetup = world.passphrase();
    cryptsetup.refuses(&disk);
    let more = format!("--pbkdf pbkdf2 --passphrase-file {}", cryptsetup.key_file().display());
    assert_eq!(world.json("volume passwd", &disk, &more)["removed"], json!([]));
    assert!(cryptsetup.opens(&disk), "the passphrase opens it");
    let again = world.json("volume passwd", &disk, &format!("{more} --replace"));
    assert_eq!(again["removed"].as_array().map(Vec::len), Some(1), "{again}");
    assert!(cryptsetup.opens(&disk), "the one in its place does too");

    let key = Cryptsetup::with_key_file(world.node.sear().export_key(&disk));
    assert!(key.opens(&disk), "the keyslot key opens it");
    let secret = fs::read(key.key_file()).expect("it can be read");
    assert_eq!(secret.len(), 32);
    io(&export, "read -P 0xa5 1M 64k");
    let log = world.audit();
    assert!(
        log.contains("AddVolumePassphrase") && log.contains("ExportVolumeKey") && !log.contains("Y29ycmVjdC"),
        "{log}"
    );

    daemon.stop();
    let daemon = world.start();
    io(&export, "read -P 0x5a 40M 64k");
    world.node.sear().run().words("volume erase").arg(&disk).arg("--yes").ok();
    assert!(world.listed(&disk).is_null() && disk.exists(), "the file stays");
    assert!(!key.opens(&disk) && !cryptsetup.opens(&disk));
    assert!(!Run::new("qemu-io").words("-f raw -c").arg("read 0 4k").arg(&export).succeeds());
    world.json("volume create", &disk, "--force");
    assert_eq!(world.listed(&disk)["served"], true);
    daemon.stop();
}

#[test]
fn a_volume_of_cryptsetup_is_adopted_with_its_data_and_rewrapped_wherever_its_header_is() {
    if !require(&NEEDS) {
        return;
    }
    for is_detached in [false, true] {
        let world = World::new();
        let daemon = world.cluster();
        let (disk, plain, header) = (world.at("disk"), world.node.sear().path("plain"), world.at("header"));
        filled_file(&plain, 7, 24 * MIB);
        fs::copy(&plain, &disk).expect("the file can be copied");
        let cryptsetup = world.passphrase();
        let (of_header, apart) = if is_detached {
            cryptsetup.encrypt_in_place(&disk, 4096, Some(&header));
            (&header, format!("--header {}", header.display()))
        } else {
            let file = fs::OpenOptions::new().write(true).open(&disk).expect("it can be opened");
            file.set_len(56 * MIB).expect("it can grow");
            cryptsetup.encrypt_in_place(&disk, 4096, None);
            (&disk, String::new())
        };
        let passphrase = format!("--passphrase-file {}", cryptsetup.key_file().display());
        let wrong = world.node.sear().path("wrong");
        fs::write(&wrong, "not it").expect("the file can be written");
        world.fails("volume adopt", &disk, &format!("{apart} --passphrase-file {}", wrong.display()), 4);
        assert!(world.fails("up", &disk, &apart, 7).contains("sear volume adopt"));
        assert!(world.listed(&disk).is_null(), "nothing is left of a failed adoption");
        world.json("volume adopt", &disk, &format!("{apart} {passphrase}"));
        let ready = world.json("up", &disk, &apart);
        assert_eq!((&ready["event"], &ready["created"]), (&json!("ready"), &json!(false)), "{ready}");
        let export = ready["uri"].as_str().expect("it has a URI").to_owned();
        assert_same(&export, &plain, &world);

        let old = in_force(&daemon);
        let saved = world.node.sear().path("saved");
        world.node.sear().run().words("volume backup-header").arg(&disk).words(&apart).arg(&saved).ok();
        world.node.sear().run().words("rekey --now").ok();
        let new = in_force(&daemon);
        let inspected = world.json("volume inspect", &disk, &apart).to_string();
        assert!(inspected.contains(&new) && !inspected.contains(&old), "{inspected}");
        assert!(cryptsetup.opens(of_header), "the passphrase is kept");
        assert_same(&export, &plain, &world);

        let (volume, foreign) = (world.listed(&disk), world.at("foreign"));
        world.json("volume create", &foreign, "--size 32M");
        let backup = saved.display().to_string();
        assert!(world.fails("volume restore-header", &foreign, &backup, 3).contains("is of volume"));
        daemon.stop();
        let daemon = world.start();
        assert_eq!(world.listed(&disk)["uuid"], volume["uuid"]);
        assert_same(&export, &plain, &world);

        // The key that the backup names is destroyed: it is not put back by mistake, and by force for its passphrase.
        let more = format!("{backup} {apart}");
        assert!(world.fails("volume restore-header", &disk, &more, 7).contains("stays as it is"));
        assert_same(&export, &plain, &world);
        world.json("volume restore-header", &disk, &format!("{more} --force"));
        assert_eq!(world.listed(&disk)["served"], false);
        world.json("volume adopt", &disk, &format!("{apart} {passphrase}"));
        assert_same(&export, &plain, &world);
        daemon.stop();
    }
}

/// The export begins with what `plain` holds.
fn assert_same(export: &str, plain: &Path, world: &World) {
    let copy = world.node.sear().path("copy");
    Run::new("qemu-img").words("convert -f raw -O raw").arg(export).arg(&copy).ok();
    let (copy, plain) = (fs::read(&copy).expect("readable"), fs::read(plain).expect("readable"));
    assert!(copy.len() >= plain.len() && copy[..plain.len()] == plain[..], "the export does not hold the plaintext");
}

#[test]
fn a_header_that_was_saved_comes_back_and_follows_to_the_key_in_force() {
    if !require(&NEEDS) {
        return;
    }
    let world = World::new();
    let daemon = world.cluster();
    let (disk, header, saved) = (world.at("disk"), world.at("header"), world.node.sear().path("saved"));
    let apart = format!("--header {}", header.display());
    let ready = world.json("up", &disk, &format!("{apart} --size 32M"));
    assert_eq!((&ready["created"], &ready["size"]), (&json!(true), &json!(32 * MIB)), "{ready}");
    let export = ready["uri"].as_str().expect("it has a URI").to_owned();
    io(&export, "write -P 0xa5 1M 64k");
    world.node.sear().run().words("volume backup-header").arg(&disk).words(&apart).arg(&saved).ok();
    let cryptsetup = world.passphrase();
    let more = format!("{apart} --pbkdf pbkdf2 --passphrase-file {}", cryptsetup.key_file().display());
    world.json("volume passwd", &disk, &more);
    assert!(cryptsetup.opens(&header));
    world.json("volume restore-header", &disk, &format!("{} {apart}", saved.display()));
    assert!(!cryptsetup.opens(&header), "the passphrase came after the backup");
    io(&export, "read -P 0xa5 1M 64k");
    let left: Vec<_> =
        fs::read_dir(world.node.sear().state_dir().join("run")).expect("it is there").flatten().collect();
    assert!(!left.iter().any(|entry| entry.file_name().to_string_lossy().contains("restore")), "the copy is gone");

    // The header is destroyed while nobody looks, and comes back with force.
    daemon.stop();
    fs::write(&header, vec![0; 16 << 20]).expect("the header can be overwritten");
    let daemon = world.start();
    let faults = daemon.local.ok("ListClusterFaults", json!({"faultTypes": "current"})).to_string();
    assert!(faults.contains("volumesOffline"), "{faults}");
    world.json("volume restore-header", &disk, &format!("{} {apart} --force", saved.display()));
    io(&export, "read -P 0xa5 1M 64k");
    daemon.stop();
}

#[test]
fn what_lies_outside_of_the_places_is_refused_and_what_needs_a_server_of_its_own_too() {
    if !require(&NEEDS) {
        return;
    }
    let world = World::new();
    let daemon = world.cluster();
    let outside = world.node.sear().path("outside");
    let said = world.fails("volume create", &outside, "--size 32M", 1);
    assert!(said.contains("`places`") && said.contains("restart") && !outside.exists(), "{said}");
    // The daemon's own state is no place for a volume, least of all by force.
    let store = world.node.sear().state_dir().join("state.redb");
    let params = json!({"name": "v", "path": store, "force": true});
    let refused = daemon.local.call("CreateVolumeAt", &params).expect("the daemon lives").expect_err("it is refused");
    assert_eq!(refused.name, "xPlaceNotPermitted", "{}", refused.message);
    let cryptsetup = world.passphrase();
    filled_file(&outside, 3, 32 * MIB);
    cryptsetup.format(&outside, 4096, "--pbkdf pbkdf2 --pbkdf-force-iterations 1000");
    let passphrase = format!("--passphrase-file {}", cryptsetup.key_file().display());
    assert!(world.fails("volume adopt", &outside, &passphrase, 1).contains("`places`"));
    let disk = world.at("disk");
    for option in ["--listen unix:/tmp/x", "--fuse", "--allow-discards", "--strict-alignment"] {
        let said = world.fails("up", &disk, &format!("--size 32M {option}"), 6);
        assert!(said.contains("a server of its own") && !disk.exists(), "{said}");
    }
    let said = world.fails("mount", &disk, "/nowhere --size 32M --mkfs ext4", 6);
    assert!(said.contains("a server of its own"), "{said}");
    world.json("volume create", &disk, "--size 32M");
    let ready = world.json("up", &disk, "--read-only");
    assert_eq!(ready["read_only"], true);
    let export = ready["uri"].as_str().expect("it has a URI");
    assert!(!Run::new("qemu-io").words("-f raw -c").arg("write 0 4k").arg(export).succeeds());
    daemon.stop();
}

#[test]
fn volumes_of_sear_up_are_taken_over_and_their_key_ends_with_proof() {
    if !require(&NEEDS) {
        return;
    }
    let world = World::new();
    let sear = world.node.sear();
    // Outside of the places: what is known at the start may be used anyway.
    let (one, two, header) = (sear.path("one"), sear.path("two"), sear.path("two.header"));
    for (disk, more) in [(&one, String::new()), (&two, format!("--header {}", header.display()))] {
        let size = [PathBuf::from("--size"), PathBuf::from("32M")];
        let served = sear.up(disk, size.into_iter().chain(more.split_whitespace().map(PathBuf::from)));
        io(&served.uri(), "write -P 0xa5 1M 64k");
        served.stop();
    }
    let old = world.json("volume inspect", &one, "")["tokens"][0]["key_id"].as_str().expect("it has a key").to_owned();
    // A server that still runs keeps its volume; the daemon takes it when it ends.
    let served = sear.up(&one, [""; 0]);
    let daemon = world.cluster();
    let state = |daemon: &Daemon| {
        let keys = daemon.local.ok("ListMasterKeys", json!({}));
        let found = keys["masterKeys"].as_array().into_iter().flatten().find(|key| key["keyID"] == old.as_str());
        found.map_or(Value::Null, |key| key["state"].clone())
    };
    assert_eq!(state(&daemon), "toDecommission");
    let listed = [world.listed(&one), world.listed(&two)];
    assert_eq!(listed[0]["served"], false, "{listed:?}");
    io(&served.uri(), "read -P 0xa5 1M 64k");
    served.stop();
    wait_until("the volume to be opened", || {
        world.listed(&one)["served"] == true && world.listed(&two)["served"] == true
    });
    for volume in &listed {
        io(&uri(&daemon, volume), "read -P 0xa5 1M 64k");
    }
    wait_until("the node's own key to end", || state(&daemon) == "destroyed");
    let report = daemon.local.ok("GetMasterKeyReport", json!({"keyID": old}));
    assert_eq!(report["proof"]["headers"], 2, "{report}");
    sear.run().words("rekey --now").ok();
    let new = in_force(&daemon);
    for (disk, more) in [(&one, String::new()), (&two, format!("--header {}", header.display()))] {
        let inspected = world.json("volume inspect", disk, &more).to_string();
        assert!(inspected.contains(&new) && !inspected.contains(&old), "{inspected}");
    }
    daemon.stop();
    // Without the daemon everything is as it was: the key is an internal one.
    let served = sear.up(&one, [""; 0]);
    io(&served.uri(), "read -P 0xa5 1M 64k");
    served.stop();
    let daemon = world.start();
    io(&uri(&daemon, &listed[0]), "read -P 0xa5 1M 64k");
    daemon.stop();
}

#[test]
#[ignore = "attaches a loop device as root"]
fn a_block_device_is_made_a_volume_grown_and_rewrapped() {
    if !require(&[NEEDS[0], NEEDS[1], Need::Root, Need::Loop]) {
        return;
    }
    let file = tempfile::NamedTempFile::new().expect("a file can be made");
    file.as_file().set_len(48 * MIB).expect("it can grow");
    let device = LoopDevice::attach(file.path(), LoopMode::ReadWrite);
    let node = Node::new().configured(&format!("places = {}", json!([device.path()])));
    let daemon = node.start();
    daemon.local.create_cluster("correct horse");
    let path = device.path().to_str().expect("a UTF-8 name");
    let ready = node.sear().json(["up", path]);
    assert_eq!(ready["size"], json!(32 * MIB), "{ready}");
    let export = ready["uri"].as_str().expect("it has a URI").to_owned();
    io(&export, "write -P 0xa5 1M 64k");
    node.sear().run().words("rekey --now").ok();
    file.as_file().set_len(64 * MIB).expect("it can grow");
    Run::new("losetup").arg("-c").arg(path).ok();
    assert_eq!(node.sear().json(["volume", "resize", path])["size"], json!(48 * MIB));
    io(&export, "write -P 0x5a 40M 64k");
    daemon.stop();
    let daemon = node.start();
    io(&export, "read -P 0x5a 40M 64k");
    node.sear().run().words("volume erase --yes").arg(path).ok();
    daemon.stop();
}
