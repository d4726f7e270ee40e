//! Kernel interfaces that serve or mount a volume: io_uring, ublk, nbd, vhost, FUSE, loop; and a TPM.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::Check;

/// All of them, the ones used today first.
pub(super) fn checks() -> Vec<Check> {
    vec![io_uring(), fuse(), nbdfuse(), loop_device(), nbd(), ublk(), vhost(), tpm()]
}

fn io_uring() -> Check {
    let meaning = "batched block I/O without a system call per request";
    let setting = fs::read_to_string("/proc/sys/kernel/io_uring_disabled").unwrap_or_default();
    match io_uring::IoUring::new(2) {
        Ok(_ring) => Check::good("io_uring", "works", meaning),
        Err(error) if matches!(setting.trim(), "1" | "2") => Check::note(
            "io_uring",
            format!("switched off: {error}"),
            meaning,
            "sysctl kernel.io_uring_disabled=0, or add the user to the group in kernel.io_uring_group",
        ),
        Err(error) => Check::note(
            "io_uring",
            format!("not available: {error}"),
            meaning,
            "use Linux 5.15 or later; in a container, allow io_uring in the seccomp profile",
        ),
    }
}

fn fuse() -> Check {
    let meaning = "`sear mount` and `sear up --fuse` offer a volume as a file, which a loop device makes a disk";
    device("fuse", "/dev/fuse", meaning, "modprobe fuse; in a container, pass --device /dev/fuse")
}

fn nbdfuse() -> Check {
    let meaning = "needed for the mount lines that `sear up` prints for NBD";
    match program("nbdfuse") {
        Some(path) => Check::good("nbdfuse", path.display().to_string(), meaning),
        None => {
            Check::note("nbdfuse", "not installed", meaning, "apt install libnbd-bin (Debian 12), or libnbd elsewhere")
        }
    }
}

fn loop_device() -> Check {
    let meaning = "`sear mount` makes a disk of the FUSE file with it";
    device("loop", "/dev/loop-control", meaning, "modprobe loop; in a container, pass --device /dev/loop-control")
}

fn nbd() -> Check {
    let meaning = "the kernel's own NBD client: nbd-client attaches a volume as /dev/nbdN";
    if Path::new("/sys/block/nbd0").exists() {
        return Check::good("nbd", "module loaded", meaning);
    }
    Check::note("nbd", "module not loaded", meaning, "modprobe nbd, and apt install nbd-client")
}

fn ublk() -> Check {
    let meaning = "`sear up --ublk` makes a volume a block device, /dev/ublkbN, without a socket";
    device("ublk", "/dev/ublk-control", meaning, "modprobe ublk_drv (Linux 6.5 or later)")
}

fn vhost() -> Check {
    let meaning =
        "vhost in the kernel, which Sear does not need: `sear up --vhost-user` serves virtual machines by a socket";
    device("vhost", "/dev/vhost-net", meaning, "modprobe vhost_net if virtual machines on this host need it")
}

fn tpm() -> Check {
    let meaning = "could seal the node's root key; Sear keeps it in a root-only file today";
    device("tpm", "/dev/tpmrm0", meaning, "switch the TPM 2.0 on in the firmware, or add a virtual one")
}

fn device(name: &'static str, path: &str, meaning: &'static str, change: &'static str) -> Check {
    match fs::OpenOptions::new().read(true).write(true).open(path) {
        Ok(_device) => Check::good(name, path, meaning),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Check::note(name, format!("no {path}"), meaning, change)
        }
        Err(error) => {
            Check::note(name, format!("{path}: {error}"), meaning, "run as root, or give the user access to it")
        }
    }
}

fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(name)).find(|candidate| candidate.is_file())
}
