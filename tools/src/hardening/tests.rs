//! Each test applies measures for good, so it runs once more in a process of its own, and tries there.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use nix::libc;
use rustix::mount::MountFlags;
use rustix::process::Resource;
use rustix::thread::{CapabilitySet, capabilities};

use super::{Act, Call, LandlockStatus, Needs, confine, landlock, landlock_status, privileges};

/// Set in the process that tries.
const ALONE: &str = "SEAR_TEST_ALONE";

/// Whether this is the process that tries. If not, it was run, and has succeeded.
fn alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let name = format!("hardening::tests::{test}");
    let output = command.args([&name, "--exact", "--nocapture", "--test-threads=1"]).env(ALONE, "1").output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success() && text.contains("1 passed"), "{}: {text}", output.status);
    false
}

/// A way to get out of the process.
type Attempt = (&'static str, Box<dyn Fn() -> io::Result<()> + Send + Sync>);

fn attempt<T, E: Into<io::Error>>(
    name: &'static str,
    act: impl Fn() -> Result<T, E> + Send + Sync + 'static,
) -> Attempt {
    (name, Box::new(move || act().map(drop).map_err(Into::into)))
}

/// What only the filter of system calls forbids. `dir` is a place for what the attempts leave.
fn calls(dir: &Path) -> Vec<Attempt> {
    let target = dir.join("listening");
    let listener = UnixListener::bind(&target).unwrap();
    let socket = OwnedFd::from(UnixStream::connect(&target).unwrap());
    let parent = rustix::process::getppid().unwrap();
    let core = rustix::process::getrlimit(Resource::Core);
    let nowhere = nix::unistd::Pid::from_raw(i32::MAX);
    vec![
        attempt("start a program", || Command::new("/bin/true").status()),
        attempt("make a socket", std::os::unix::net::UnixDatagram::unbound),
        attempt("make a pair of sockets", UnixStream::pair),
        attempt("connect a socket", move || {
            let _kept = &listener;
            let at = rustix::net::SocketAddrUnix::new(&target)?;
            match rustix::net::connect(&socket, &at) {
                Err(rustix::io::Errno::ISCONN) => Ok(()),
                other => other,
            }
        }),
        attempt("look into a process", move || not(nix::sys::ptrace::attach(nowhere), nix::errno::Errno::ESRCH)),
        attempt("make a ring", || io_uring::IoUring::new(2)),
        attempt("make a file in memory", || rustix::fs::memfd_create("x", rustix::fs::MemfdFlags::empty())),
        attempt("signal another process", move || rustix::process::test_kill_process(parent)),
        attempt("read a directory", || fs::read_dir("/")),
        attempt("open a file", || File::open("/etc/passwd")),
        attempt("change a limit", move || rustix::process::setrlimit(Resource::Core, core)),
    ]
}

/// What needs privileges too, so an ordinary user never could.
fn calls_of_root() -> Vec<Attempt> {
    const NOTHING: &std::ffi::CStr = c"";
    vec![
        attempt("mount", || match rustix::mount::mount("x", "/no/such/place", "tmpfs", MountFlags::empty(), NOTHING) {
            Err(rustix::io::Errno::NOENT) => Ok(()),
            other => other,
        }),
        attempt("load a module", || not(nix::kmod::init_module(&[], NOTHING), nix::errno::Errno::ENOEXEC)),
        attempt("leave a namespace", || nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUTS)),
    ]
}

/// A refusal that says that the call was carried out.
fn not(outcome: nix::Result<()>, refusal: nix::errno::Errno) -> nix::Result<()> {
    if outcome == Err(refusal) { Ok(()) } else { outcome }
}

fn assert_refused(attempts: &[Attempt]) {
    for (name, act) in attempts {
        let error = act().err().unwrap_or_else(|| panic!("could still {name}"));
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{name}: {error}");
    }
}

#[test]
fn a_confined_process_can_do_its_work_and_nothing_else() {
    if !alone("a_confined_process_can_do_its_work_and_nothing_else") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let attempts = std::sync::Arc::new((calls(dir.path()), calls_of_root()));
    for (name, act) in &attempts.0 {
        act().unwrap_or_else(|error| panic!("cannot {name} before: {error}"));
    }
    if rustix::process::geteuid().is_root() {
        // Where root lacks a capability, an attempt says less, and no more is expected of it.
        attempts.1.iter().for_each(|(name, act)| println!("{name}: {:?}", act()));
    }
    let file = tempfile::tempfile().unwrap();
    let at = dir.path().join("socket");
    let listener = UnixListener::bind(&at).unwrap();
    let mut client = UnixStream::connect(&at).unwrap();
    let (worker, tasks) = thread_with_tasks();

    let needs = Needs { removes: vec![at.clone()], ..Needs::default() };
    confine(&needs, |act| {
        let (act, (done, wait)) = (Act::clone(act), mpsc::channel());
        let once = move || {
            act();
            done.send(()).unwrap();
        };
        worker.send(Box::new(once)).unwrap();
        wait.recv().map_err(io::Error::other)
    });

    // In this thread, in one that was there before, and in one that comes later.
    let try_all = |attempts: std::sync::Arc<(Vec<Attempt>, Vec<Attempt>)>| {
        move || {
            assert_refused(&attempts.0);
            assert_refused(&attempts.1);
        }
    };
    try_all(attempts.clone())();
    worker.send(Box::new(try_all(attempts.clone()))).unwrap();
    drop(worker);
    tasks.join().unwrap();
    thread::spawn(try_all(attempts)).join().unwrap();

    // What serving is.
    file.write_all_at(&[7; 4096], 0).unwrap();
    file.sync_data().unwrap();
    file.try_clone().unwrap().read_exact_at(&mut vec![0; 4096], 0).unwrap();
    let mut server = listener.accept().unwrap().0;
    client.write_all(b"x").unwrap();
    server.read_exact(&mut [0]).unwrap();
    assert_eq!(vec![1_u8; 64 << 20].iter().rev().take(2).sum::<u8>(), 2, "memory can be had");
    thread::sleep(std::time::Duration::from_millis(1));
    fs::remove_file(&at).unwrap();
}

type Task = Box<dyn FnOnce() + Send>;

/// A thread that does what it is sent.
fn thread_with_tasks() -> (mpsc::Sender<Task>, thread::JoinHandle<()>) {
    let (send, receive) = mpsc::channel::<Task>();
    (send, thread::spawn(move || receive.iter().for_each(|task| task())))
}

#[test]
fn what_is_needed_at_the_end_is_allowed_and_only_that() {
    if !alone("what_is_needed_at_the_end_is_allowed_and_only_that") {
        return;
    }
    let needs = Needs { opens: vec!["/dev/null".into()], calls: vec![Call::any(libc::SYS_openat)], ..Needs::default() };
    confine(&needs, |_| Ok(()));
    File::options().read(true).write(true).open("/dev/null").unwrap();
    if has_landlock() {
        assert_eq!(File::open("/dev/zero").unwrap_err().kind(), ErrorKind::PermissionDenied);
        assert_eq!(File::open("/etc/passwd").unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
}

fn has_landlock() -> bool {
    let has = matches!(landlock_status(), LandlockStatus::Available { .. });
    if !has {
        println!("this kernel has no Landlock: what it would refuse is not tried");
    }
    has
}

#[test]
fn landlock_leaves_nothing_but_the_file_that_is_removed_at_the_end() {
    if !alone("landlock_leaves_nothing_but_the_file_that_is_removed_at_the_end") || !has_landlock() {
        return;
    }
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let files = dirs.each_ref().map(|dir| dir.path().join("file"));
    files.iter().for_each(|file| fs::write(file, "x").unwrap());
    let open = File::options().read(true).write(true).open(&files[1]).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let rules = landlock::rules(&Needs { removes: vec![files[0].clone()], ..Needs::default() }).unwrap();
    assert!(landlock::restrict(&rules).unwrap());

    let (here, there) = (dirs[0].path(), dirs[1].path());
    let at = port.local_addr().unwrap();
    let mut outcomes = vec![
        ("read", File::open(&files[0]).map(drop)),
        ("write", File::options().write(true).open(&files[0]).map(drop)),
        ("make", File::create_new(here.join("new")).map(drop)),
        ("make a directory", fs::create_dir(here.join("new"))),
        ("list", fs::read_dir(here).map(drop)),
        ("rename", fs::rename(&files[0], there.join("new"))),
        ("remove elsewhere", fs::remove_file(&files[1])),
        ("run", Command::new("/bin/true").status().map(drop)),
        ("read what the kernel tells", File::open("/proc/self/environ").map(drop)),
    ];
    match landlock_status() {
        LandlockStatus::Available { effective_abi, .. } if effective_abi >= ::landlock::ABI::V4 => {
            outcomes.push(("connect", TcpStream::connect(at).map(drop)));
            outcomes.push(("bind", TcpListener::bind("127.0.0.1:0").map(drop)));
        }
        _ => println!("this kernel's Landlock knows no TCP"),
    }
    for (name, outcome) in outcomes {
        let error = outcome.expect_err(name);
        let refused = matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::CrossesDevices);
        assert!(refused, "{name}: {error}");
    }
    fs::remove_file(&files[0]).unwrap();
    open.write_all_at(b"y", 0).unwrap();
    open.set_len(0).unwrap();
}

#[test]
fn no_capability_is_left_but_what_is_kept_and_none_comes_back() {
    if !alone("no_capability_is_left_but_what_is_kept_and_none_comes_back") {
        return;
    }
    let had = capabilities(None).unwrap().permitted;
    let keep = CapabilitySet::IPC_LOCK;
    privileges::drop_all_but(keep).unwrap();
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    let left = format!("{:016x}", (had & keep).bits());
    for set in ["CapEff:", "CapPrm:"] {
        assert_eq!(field(set), left, "{set}");
    }
    for set in ["CapInh:", "CapAmb:"] {
        assert_eq!(field(set), "0".repeat(16), "{set}");
    }
    assert_eq!(field("NoNewPrivs:"), "1");
    if had.contains(CapabilitySet::SETPCAP) {
        assert_eq!(field("CapBnd:"), "0".repeat(16));
    }
    let program = Command::new("/bin/sh").args(["-c", "grep CapEff: /proc/self/status"]).output().unwrap();
    let program = String::from_utf8(program.stdout).unwrap();
    assert_eq!(program.split_whitespace().nth(1), Some("0".repeat(16).as_str()), "of a program that is started");
    privileges::drop_all_but(CapabilitySet::empty()).unwrap();
    assert_eq!(capabilities(None).unwrap().permitted, CapabilitySet::empty());
}

#[test]
fn a_daemon_keeps_its_places_and_key_servers_and_nothing_else() {
    use std::net::ToSocketAddrs;

    use crate::daemon::{Places, Section, needs};

    if !alone("a_daemon_keeps_its_places_and_key_servers_and_nothing_else") {
        return;
    }
    let [ours, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let at = |name: &str| ours.path().join(name);
    let (state, data, drive, tls) = (at("state"), at("data"), at("drives/one"), at("tls"));
    [&state, &data, &drive, &tls].into_iter().for_each(|dir| fs::create_dir_all(dir).unwrap());
    let (certificate, config) = (tls.join("api.crt"), [at("conf/sear.toml")]);
    fs::write(&certificate, "old").unwrap();
    fs::create_dir(at("conf")).unwrap();
    fs::write(other.path().join("theirs"), "x").unwrap();
    let key_server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = key_server.local_addr().unwrap();
    let section = Section { metadata: vec![drive.clone()], api_cert: Some(certificate.clone()), ..Section::default() };
    let places = Places { state: &state, data: &data, config: &config, volumes: &[], sockets: Vec::new() };
    let needs = needs(&section, places);
    // Another thread is not under Landlock here: it is whoever renews a certificate.
    let (renewer, renewing) = thread_with_tasks();
    let (before, mut attempts) = (calls(&state), calls_of_root());
    let opens = ["make a socket", "connect a socket", "read a directory", "open a file"];
    attempts.extend(before.into_iter().filter(|(name, _)| !opens.contains(name)));
    attempts.push(attempt("listen at a port", || TcpListener::bind("127.0.0.1:0")));
    attempts.push(attempt("ask the kernel about routes", || {
        rustix::net::socket(rustix::net::AddressFamily::NETLINK, rustix::net::SocketType::RAW, None)
    }));

    confine(&needs, |_| Ok(()));
    assert_refused(&attempts);
    for dir in [&state, &data] {
        let (new, whole) = (dir.join("new"), dir.join("whole"));
        File::create_new(&new).unwrap().write_all(b"x").unwrap();
        File::open(&new).unwrap().try_lock().unwrap();
        fs::rename(&new, &whole).unwrap();
        fs::hard_link(&whole, dir.join("again")).unwrap();
        assert!(fs::read_dir(dir).unwrap().all(|name| name.is_ok()));
        fs::canonicalize(&whole).unwrap();
        fs::remove_file(&whole).unwrap();
    }
    fs::remove_dir_all(&drive).unwrap();
    fs::create_dir(&drive).unwrap();
    fs::write(drive.join("copy"), "back").unwrap();
    let renewed = certificate.clone();
    let renew = move || {
        fs::write(renewed.with_extension("new"), "new")
            .and_then(|()| fs::rename(renewed.with_extension("new"), renewed))
    };
    renewer.send(Box::new(move || renew().unwrap())).unwrap();
    drop(renewer);
    renewing.join().unwrap();
    assert_eq!(fs::read(&certificate).unwrap(), b"new");
    let found = ("localhost", address.port()).to_socket_addrs().unwrap().find(SocketAddr::is_ipv4).unwrap();
    assert_eq!(found, address);
    TcpStream::connect_timeout(&address, std::time::Duration::from_secs(5)).unwrap().write_all(b"x").unwrap();
    if has_landlock() {
        for refused in [
            File::open("/etc/passwd").map(drop),
            File::open(other.path().join("theirs")).map(drop),
            fs::write(other.path().join("mine"), "x"),
            fs::write(tls.join("api.key"), "x"),
            fs::read_dir("/").map(drop),
        ] {
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::PermissionDenied);
        }
    }
}
