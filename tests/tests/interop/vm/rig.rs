//! The virtual machine itself: everything that its documentation promises.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};

use sear_tests::rig::{Need, Run, Sear, Vm, filled_file, require, wait_until};

#[test]
#[ignore = "starts a virtual machine"]
fn a_guest_runs_sear_shares_a_folder_and_takes_a_vhost_user_disk() {
    if !require(&[Need::Vm, Need::Tool("qemu-storage-daemon")]) {
        return;
    }
    let folder = Sear::new();
    let (image, socket) = (folder.path("image"), folder.path("vhost.sock"));
    filled_file(&image, 41, 1 << 20);
    let peer = Peer::start(&image, &socket);

    let vm = Vm::new()
        .shared_memory(1024)
        .qemu(["-chardev", &format!("socket,id=disk,path={},reconnect=1", socket.display())])
        .qemu(["-device", "vhost-user-blk-pci,chardev=disk,num-queues=2"]);
    fs::write(vm.share("question"), "six times seven").expect("the file can be written");
    let mut running = vm.start(
        "uname -r
        modprobe -a nbd virtio_blk ublk_drv
        eventually test -c /dev/ublk-control
        block_device /dev/nbd0
        must_fail test -b /dev/nbd99
        block_device /dev/vda
        dd if=/dev/vda of=/share/read bs=64K iflag=direct status=none
        sear doctor
        cat /share/question
        tell asked
        await answered
        cat /share/answer
        exit 42",
    );
    running.await_guest("asked");
    fs::write(running.share("answer"), "forty-two").expect("the file can be written");
    running.tell("answered");
    let outcome = running.wait();
    drop(peer);
    println!("{}", outcome.output);
    assert_eq!(outcome.code, 42, "{}\n{}", outcome.output, outcome.console);
    assert!(outcome.output.ends_with("six times sevenforty-two"), "{}", outcome.output);
    Run::new("cmp").arg(&image).arg(outcome.share("read")).ok();
}

/// QEMU's own vhost-user server. Dropped, it is ended.
struct Peer(Child);

impl Peer {
    fn start(image: &Path, socket: &Path) -> Self {
        let export = "type=vhost-user-blk,id=export,node-name=image,num-queues=2,writable=on,addr.type=unix";
        let child = Command::new("qemu-storage-daemon")
            .args(["--blockdev", &format!("driver=file,node-name=image,filename={}", image.display())])
            .args(["--export", &format!("{export},addr.path={}", socket.display())])
            .spawn();
        let peer = Self(child.expect("qemu-storage-daemon starts"));
        wait_until("the vhost-user socket", || socket.exists());
        peer
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
