//! `sear up`: what it makes, what it refuses, how it ends.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::process::Signal;

use crate::rig::{Rig, tool};

const NONE: [&str; 0] = [];

fn socket_of(uri: &str) -> &Path {
    Path::new(uri.split("socket=").nth(1).unwrap())
}

#[test]
fn up_makes_a_volume_serves_it_and_brings_it_back() {
    let rig = Rig::new();
    let path = rig.path("disk.img");
    let first = rig.up(&path, ["--size", "8M"]);
    let ready = first.ready.clone();
    assert_eq!((ready["event"].as_str(), ready["created"].as_bool()), (Some("ready"), Some(true)));
    assert_eq!((ready["name"].as_str(), ready["size"].as_u64()), (Some("disk"), Some(8 << 20)));
    let socket = socket_of(first.uri()).to_owned();
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(rig.run(["volume", "list"]).ok().contains("served"));
    first.stop();
    assert!(!socket.exists(), "the socket is removed");
    assert!(rig.run(["volume", "list"]).ok().contains("present"));
    let second = rig.up(&path, ["--size", "8M"]);
    assert_eq!(second.ready["created"], false);
    assert_eq!(second.ready["uuid"], ready["uuid"]);
    second.stop();
}

#[test]
fn what_a_client_writes_is_there_after_a_restart_and_after_a_crash() {
    let rig = Rig::new();
    let path = rig.path("disk");
    let mut up = rig.up(&path, ["--size", "8M"]);
    let write = |uri: &str| tool("qemu-io", ["-f", "raw", "-c", "write -f -P 0xa5 1M 64k", uri]);
    let Some(ran) = write(up.uri()) else { return };
    ran.ok();
    up.signal(Signal::KILL);
    up.wait();
    let raw = fs::read(&path).unwrap();
    assert!(!raw.windows(64).any(|bytes| bytes == [0xa5; 64]), "no plaintext on disk");
    for _ in 0..2 {
        let up = rig.up(&path, NONE);
        let read = tool("qemu-io", ["-r", "-f", "raw", "-c", "read -P 0xa5 1M 64k", up.uri()]).unwrap().ok();
        assert!(!read.contains("verification failed"), "{read}");
        up.stop();
    }
}

#[test]
fn a_volume_is_served_once_at_a_time() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let up = rig.up(&path, NONE);
    let other = rig.path("other.sock");
    let listen = format!("unix:{}", other.display());
    rig.run(["up", path.to_str().unwrap(), "--listen", &listen]).fails(6, &["is served by another process"]);
    rig.run(["volume", "erase", path.to_str().unwrap(), "--yes"]).fails(6, &["is served by another process"]);
    let passphrase = rig.file("passphrase", b"works while it is served");
    let passwd = ["volume", "passwd", path.to_str().unwrap(), "--pbkdf", "pbkdf2", "--passphrase-file"];
    rig.run(passwd.into_iter().chain([passphrase.to_str().unwrap()])).ok();
    up.stop();
    rig.up(&path, NONE).stop();
}

#[test]
fn without_a_volume_there_must_be_a_size() {
    let rig = Rig::new();
    let path = rig.path("disk");
    rig.run(["up", path.to_str().unwrap()]).fails(2, &["no size is given", "--size 1G"]);
    rig.run(["up", path.to_str().unwrap(), "--size", "8M", "--read-only"]).fails(2, &["does not exist"]);
    assert!(!path.exists());
}

#[test]
fn a_size_that_is_not_the_volumes_is_an_error() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    rig.run(["up", path.to_str().unwrap(), "--size", "9M"]).fails(2, &["8 MiB of usable space, not 9 MiB"]);
    let ran = rig.run(["up", path.to_str().unwrap(), "--sector-size", "512"]);
    ran.fails(2, &["sectors of 4096 bytes, not 512"]);
    rig.up(&path, ["--force"]).stop();
    rig.run(["volume", "inspect", path.to_str().unwrap()]).ok();
}

#[test]
fn several_sockets_serve_one_export_under_its_name() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let listen = format!("unix:{}", rig.path("a b.sock").display());
    let up = rig.up(&path, ["--listen", &listen, "--listen", "tcp:127.0.0.1:0", "--name", "my disk"]);
    let uris: Vec<_> =
        up.ready["uris"].as_array().unwrap().iter().map(|uri| uri.as_str().unwrap().to_owned()).collect();
    assert_eq!(uris.len(), 2, "{uris:?}");
    assert!(
        uris[0].starts_with("nbd+unix:///my%20disk?socket=") && uris[1].starts_with("nbd://127.0.0.1:"),
        "{uris:?}"
    );
    for uri in &uris {
        let Some(ran) = tool("nbdinfo", ["--size", uri]) else { return };
        assert_eq!(ran.ok().trim(), (8 << 20).to_string());
    }
    up.stop();
}

#[test]
fn a_socket_that_is_taken_or_in_the_way_of_a_file_is_refused() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let taken = rig.path("taken");
    let _other = UnixListener::bind(&taken).unwrap();
    let file = rig.file("file", b"precious");
    for (socket, code) in [(&taken, 6), (&file, 3)] {
        let listen = format!("unix:{}", socket.display());
        rig.run(["up", path.to_str().unwrap(), "--listen", &listen]).fails(code, &[socket.to_str().unwrap()]);
    }
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    rig.up(&path, NONE).stop();
}

#[test]
fn a_dead_servers_socket_is_taken_over() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let mut killed = rig.up(&path, NONE);
    let socket = socket_of(killed.uri()).to_owned();
    killed.signal(Signal::KILL);
    killed.wait();
    assert!(socket.exists(), "a killed server leaves its socket");
    rig.up(&path, NONE).stop();
}

#[test]
fn read_only_refuses_writes_and_changes_nothing() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let before = fs::read(&path).unwrap();
    let up = rig.up(&path, ["--read-only"]);
    let Some(ran) = tool("nbdinfo", ["--can", "write", up.uri()]) else { return };
    assert_eq!(ran.code, 2, "nbdinfo says no with 2");
    up.stop();
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_detached_header_serves_the_data_file() {
    let rig = Rig::new();
    let (data, header) = (rig.path("data"), rig.path("header"));
    let arguments = ["--header", header.to_str().unwrap()];
    rig.up(&data, arguments.into_iter().chain(["--size", "8M"])).stop();
    let up = rig.up(&data, arguments);
    assert_eq!((up.ready["created"].as_bool(), up.ready["size"].as_u64()), (Some(false), Some(8 << 20)));
    up.stop();
    let list = rig.run(["--json", "volume", "list"]).json();
    assert_eq!(list["volumes"][0]["header"].as_str(), fs::canonicalize(&header).unwrap().to_str());
}

#[test]
fn text_for_people_has_the_uri_and_the_lines_to_paste() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let up = rig.up(&path, NONE);
    let lines: Vec<_> = up.ready["mount"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let script = lines.join("\n");
    for word in ["nbdfuse /mnt/disk.nbd/disk", "losetup", "--sector-size=4096", "mount \"$DEV\" /mnt/disk"] {
        assert!(script.contains(word), "no {word} in {script}");
    }
    assert!(!script.contains("mkfs"), "a volume that existed is not formatted");
    tool("sh", ["-n", "-c", &script]).unwrap().ok();
    up.stop();
}

#[test]
fn a_virtual_machine_is_served_alone_or_beside_nbd_clients() {
    let rig = Rig::new();
    let (path, socket) = (rig.path("disk"), rig.path("vm.sock"));
    let at = socket.to_str().unwrap();
    let alone = rig.up(&path, ["--size", "8M", "--vhost-user", at]);
    assert_eq!(alone.ready["vhost_user"].as_str(), Some(at));
    assert!(alone.ready["uri"].is_null() && alone.ready["mount"].as_array().unwrap().is_empty(), "{}", alone.ready);
    assert!(alone.ready["qemu"].as_str().unwrap().contains("vhost-user-blk-pci"));
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    alone.stop();
    assert!(!socket.exists(), "the socket is removed");
    let listen = format!("unix:{}", rig.path("nbd.sock").display());
    let both = rig.up(&path, ["--vhost-user", at, "--listen", &listen]);
    assert!(socket.exists() && socket_of(both.uri()).exists());
    both.stop();
    let taken = UnixListener::bind(&socket).unwrap();
    let up = ["up", path.to_str().unwrap(), "--vhost-user", at];
    rig.run(up).fails(6, &["another server listens"]);
    drop(taken);
    rig.run([&up[..], &["--fuse"]].concat()).fails(2, &["cannot be used with"]);
}
