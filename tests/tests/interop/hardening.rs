//! What a running server has given up, seen from beside it. What a confined process is refused is tried from inside, in
//! `tools/src/hardening/tests.rs`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use sear_tests::rig::{FileExport, Need, Run, Sear, Served, filled_file, require, wait_until};

/// `CAP_IPC_LOCK`, as /proc writes it.
const ONLY_LOCKING: &str = "0000000000004000";
const NONE: &str = "0000000000000000";
/// No capability of its own, nor by starting a program; the same user.
const WITHOUT_PRIVILEGES: &str = "--bounding-set=-all --inh-caps=-all --no-new-privs";

#[test]
fn every_thread_of_an_nbd_server_is_confined_and_the_server_works_and_ends_in_order() {
    if !require(&[Need::Tool("nbdcopy")]) {
        return;
    }
    let (sear, served) = ready(&[]);
    let names = assert_confined(served.pid());
    assert!(names.len() >= 3 && names.iter().any(|name| name.starts_with("worker-")), "{names:?}");
    let (plain, copy) = (sear.path("plain"), sear.path("copy"));
    filled_file(&plain, 3, 24 << 20);
    Run::new("nbdcopy").words("--flush --connections=4").arg(&plain).arg(served.uri()).ok();
    Run::new("nbdcopy").arg(served.uri()).arg(&copy).ok();
    assert!(fs::read(&plain).expect("readable") == fs::read(&copy).expect("readable"));
    // The kernel may have added threads of its own for the ring.
    let again: BTreeSet<_> =
        assert_confined(served.pid()).into_iter().filter(|name| !name.starts_with("iou-")).collect();
    assert_eq!(again, names, "the same threads as before the load");
    let (socket, log) = (served.socket().to_path_buf(), served.log());
    served.stop();
    assert!(!socket.exists(), "the socket's file is left");
    for word in ["WARN", "ERROR"] {
        assert!(!log.contains(word), "{log}");
    }
}

#[test]
#[ignore = "mounts FUSE as root"]
fn every_thread_of_a_fuse_server_is_confined_and_its_mount_comes_down() {
    if !require(&[Need::Root, Need::Fuse]) {
        return;
    }
    let sear = Sear::new();
    let export = FileExport::start(&sear, &sear.path("disk"), ["--size", "24M"]);
    wait_until("the threads to run", || names_of_threads(export.pid()).iter().any(|name| name == "fuser-7"));
    assert_confined(export.pid());
    let plain = sear.path("plain");
    filled_file(&plain, 4, 8 << 20);
    Run::new("dd")
        .arg(format!("if={}", plain.display()))
        .arg(format!("of={}", export.file().display()))
        .words("bs=1M conv=notrunc,fsync")
        .ok();
    Run::new("cmp").words("-n 8388608").arg(&plain).arg(export.file()).ok();
    let (file, process) = (export.file(), Path::new("/proc").join(export.pid().to_string()));
    export.stop();
    assert!(!file.exists(), "the mount is left");
    assert!(!process.exists(), "the server is left");
}

#[test]
fn nobody_looks_into_a_server_from_beside() {
    if !require(&[Need::Root, Need::Tool("setpriv")]) {
        return;
    }
    let (_sear, served) = ready(&[]);
    let limits = fs::read_to_string(format!("/proc/{}/limits", served.pid())).expect("the process runs");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("there is such a limit");
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    // The same user, without the capabilities of root, sees into a process of that kind.
    let mut plain = Other::start();
    let look = |what: &str, pid: u32| {
        let setpriv = Run::new("setpriv").words(WITHOUT_PRIVILEGES);
        setpriv.words("head -c 1").arg(format!("/proc/{pid}/{what}")).succeeds()
    };
    for what in ["environ", "auxv"] {
        assert!(look(what, plain.0.id()), "{what} of an ordinary process cannot be read: this test shows nothing");
        assert!(!look(what, served.pid()), "{what} of the server can be read");
    }
    let open = |pid: u32| {
        let setpriv = Run::new("setpriv").words(WITHOUT_PRIVILEGES);
        setpriv.words("sh -c").arg(format!("exec 3<>/proc/{pid}/mem")).succeeds()
    };
    assert!(open(plain.0.id()), "the memory of an ordinary process cannot be opened: this test shows nothing");
    assert!(!open(served.pid()), "the memory of the server can be opened");
    plain.end();
    served.stop();
}

#[test]
fn the_configuration_switches_the_sandbox_off() {
    let sear = Sear::new();
    let config = sear.path("config.toml");
    fs::write(&config, "[hardening]\nsandbox = \"off\"\n").expect("the file can be written");
    let served = sear.up(&sear.path("disk"), ["--size", "1M", "--config", config.to_str().expect("UTF-8")]);
    wait_for_all_threads(&served);
    for status in statuses(served.pid()) {
        assert_eq!(field(&status, "Seccomp"), "0", "{status}");
    }
    assert!(served.log().contains("not confined"), "{}", served.log());
    served.stop();
}

/// Every thread: no system calls but the listed, no privileges, and the memory is locked. Returns their names.
fn assert_confined(pid: u32) -> BTreeSet<String> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("the process runs");
    let locked = limits.lines().find(|line| line.starts_with("Max locked memory")).expect("there is such a limit");
    // Whoever may not lift the limit needs the capability to allocate while memory is locked.
    let expected = if locked.contains("unlimited") { NONE } else { ONLY_LOCKING };
    let root = rustix::process::geteuid().is_root();
    let mut names = BTreeSet::new();
    for status in statuses(pid) {
        assert_eq!(field(&status, "Seccomp"), "2", "{status}");
        assert_eq!(field(&status, "NoNewPrivs"), "1", "{status}");
        for set in ["CapInh", "CapAmb"] {
            assert_eq!(field(&status, set), NONE, "{set}: {status}");
        }
        for set in ["CapPrm", "CapEff"] {
            assert!([NONE, expected].contains(&field(&status, set)), "{set}: {status}");
        }
        if root {
            assert_eq!(field(&status, "CapBnd"), NONE, "{status}");
            assert_ne!(field(&status, "VmLck"), "0 kB", "{status}");
        }
        names.insert(field(&status, "Name").to_owned());
    }
    names
}

/// The status of each thread.
fn statuses(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs");
    let paths = tasks.map(|task| task.expect("the folder can be listed").path().join("status"));
    // A thread may have ended meanwhile.
    let statuses: Vec<_> = paths.filter_map(|path| fs::read_to_string(path).ok()).collect();
    assert!(!statuses.is_empty(), "no thread");
    statuses
}

fn names_of_threads(pid: u32) -> Vec<String> {
    statuses(pid).iter().map(|status| field(status, "Name").to_owned()).collect()
}

fn field<'status>(status: &'status str, name: &str) -> &'status str {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in {status}")).trim()
}

/// A server that has said that it is ready: from then on it is confined.
fn ready(arguments: &[&str]) -> (Sear, Served) {
    let sear = Sear::new();
    let served = sear.up(&sear.path("disk"), ["--size", "24M"].iter().chain(arguments));
    wait_for_all_threads(&served);
    (sear, served)
}

fn wait_for_all_threads(served: &Served) {
    wait_until("its last thread", || names_of_threads(served.pid()).iter().any(|name| name == "signals"));
}

/// A process of the same user, without privileges, as the server is.
struct Other(Child);

impl Other {
    fn start() -> Self {
        let mut command = Command::new("setpriv");
        command.args(WITHOUT_PRIVILEGES.split(' ')).args(["sleep", "600"]).stdin(Stdio::null());
        let child = command.spawn().expect("setpriv starts");
        let name = format!("/proc/{}/comm", child.id());
        wait_until("sleep to run", || fs::read_to_string(&name).is_ok_and(|name| name.trim() == "sleep"));
        Self(child)
    }

    fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        self.end();
    }
}
