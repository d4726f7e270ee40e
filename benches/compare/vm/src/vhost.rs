//! Disks of the guest, from servers on the host.

use std::error::Error;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use sear_tests::rig::{Run, Sear, Vm, wait_until};

use crate::race::{self, Pace, Racer, Section};

const SIZE: &str = "64M";

/// Sear, and QEMU's storage daemon without and with its LUKS driver.
pub(crate) fn run(pace: &Pace) -> Result<Section, Box<dyn Error>> {
    let sear = Sear::new();
    let (disk, socket) = (sear.path("disk"), sear.path("sear.sock"));
    let socket_text = socket.to_str().ok_or("the temporary folder's name is not UTF-8")?;
    let served = sear.up(&disk, ["--size", SIZE, "--vhost-user", socket_text]);
    let raw = StorageDaemon::start(&sear, "raw", &[])?;
    make_luks(&sear.path("luks"));
    let luks =
        ["--object", "secret,id=key,data=secret", "--blockdev", "driver=luks,node-name=top,file=disk,key-secret=key"];
    let luks = StorageDaemon::start(&sear, "luks", &luks)?;
    let vm = Vm::new().shared_memory(1024);
    let vm = device(device(device(vm, "a", &socket), "b", &sear.path("raw.sock")), "c", &sear.path("luks.sock"));
    let racers = [
        Racer { name: "sear up --vhost-user", device: "/dev/vda", server: Some(served.pid()) },
        Racer { name: "qemu-storage-daemon", device: "/dev/vdb", server: Some(raw.0.id()) },
        Racer { name: "qemu-storage-daemon LUKS", device: "/dev/vdc", server: Some(luks.0.id()) },
    ];
    let title = "Disks by vhost-user, servers on the host";
    let section = race::run(title, vm, include_str!("../guest/vhost.sh"), &racers, pace)?;
    served.stop();
    Ok(section)
}

/// QEMU times its key derivation first, and gives up when the processor's clock has not moved; the next attempt works.
fn make_luks(file: &Path) {
    let make = || {
        let options = "create -q -f luks --object secret,id=key,data=secret -o key-secret=key,iter-time=10";
        Run::new("qemu-img").words(options).arg(file).arg(SIZE)
    };
    if !make().succeeds() {
        make().ok();
    }
}

fn device(vm: Vm, id: &str, socket: &Path) -> Vm {
    vm.qemu(["-chardev", &format!("socket,id={id},path={}", socket.display())])
        .qemu(["-device", &format!("vhost-user-blk-pci,chardev={id},num-queues=2")])
}

struct StorageDaemon(Child);

impl StorageDaemon {
    /// Serves the file `name`, through the block drivers of `more` if there are any, on the socket `name.sock`.
    fn start(sear: &Sear, name: &str, more: &[&str]) -> Result<Self, Box<dyn Error>> {
        let (file, socket) = (sear.path(name), sear.path(&format!("{name}.sock")));
        if more.is_empty() {
            Run::new("truncate").args(["-s", SIZE]).arg(&file).ok();
        }
        let top = if more.is_empty() { "disk" } else { "top" };
        let (file, address) = (file.display(), socket.display());
        let mut command = Command::new("qemu-storage-daemon");
        command.arg("--blockdev").arg(format!("driver=file,node-name=disk,filename={file}")).args(more);
        command.arg("--export").arg(format!(
            "type=vhost-user-blk,id=export,node-name={top},addr.type=unix,addr.path={address},writable=on,num-queues=2"
        ));
        let daemon = Self(command.stdin(Stdio::null()).spawn()?);
        wait_until("the storage daemon's socket", || socket.exists());
        Ok(daemon)
    }
}

impl Drop for StorageDaemon {
    fn drop(&mut self) {
        // It may have ended with the guest.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
