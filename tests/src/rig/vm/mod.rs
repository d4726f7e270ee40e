//! A virtual machine with a kernel that has what the host's may lack: nbd, ublk, device-mapper, virtio.
//!
//! QEMU emulates it, so it runs wherever QEMU does, and about as fast as a machine of the nineties: it tells whether
//! something is correct, never how fast it is. A boot takes a few seconds; put several checks into one script.
//!
//! ```no_run
//! use sear_tests::rig::{Need, Vm, require};
//!
//! if !require(&[Need::Vm]) {
//!     return;
//! }
//! let vm = Vm::new();
//! std::fs::write(vm.share("greeting"), "hello").unwrap();
//! let outcome = vm.run("modprobe nbd nbds_max=4; block_device /dev/nbd0; sear --version; cat /share/greeting");
//! assert!(outcome.ok().ends_with("hello"));
//! ```
//!
//! **Files.** The guest's root is the host's root, read-only (9p) with a filesystem in memory above it: every program of
//! the host runs in the guest, under the path it has here, and what the guest writes there nobody sees. What the host
//! changes after the guest's start, the guest may not see either. `/share` is a folder of its own for each machine, in
//! which both sides read and write; it begins with `bin/sear`, and `bin` stands first in the guest's `PATH`. `/run` is
//! empty and in memory: the place for images, sockets and state. `/mnt` is a folder to mount on.
//!
//! **Kernel.** Debian's 6.12 and all its modules: `modprobe NAME`. There is no udev: device nodes appear as the kernel
//! makes them, with the kernel's names and modes, and `/dev/mapper` has only what its programs make.
//!
//! **Script.** bash, as root, under `set -euo pipefail`, after the functions of `tests/scripts/vm/prelude`
//! (`block_device`, `eventually`, `must_fail`, `tell`, `await`, ...). Long ones are files in `tests/scripts/vm`, brought
//! in with `include_str!`. Its exit code and its output are the [`Outcome`]; when it ends, so does the machine, with
//! everything that still runs in it.
//!
//! **Two sides.** The guest reaches the host's loopback interface at 10.0.2.2. [`Vm::start`] returns while the script
//! runs: [`RunningVm::await_guest`] and [`RunningVm::tell`] on the host, `tell` and `await` in the guest, put what the
//! two do in order.
//!
//! **Devices.** [`Vm::disk`] adds a file as a disk, [`Vm::qemu`] anything. A vhost-user device, whose server listens on the host:
//! ```no_run
//! # use sear_tests::rig::Vm;
//! let vm = Vm::new()
//!     .shared_memory(1024)
//!     .qemu(["-chardev", "socket,id=disk,path=/tmp/disk.sock,reconnect=1"])
//!     .qemu(["-device", "vhost-user-blk-pci,chardev=disk,num-queues=2"]);
//! vm.run("modprobe virtio_blk; block_device /dev/vda").ok();
//! ```

mod kernel;
mod machine;
mod running;

pub use machine::Vm;
pub use running::{Outcome, RunningVm};

/// Why this machine cannot run a guest, if it cannot.
pub(super) fn obstacle() -> Option<String> {
    kernel::Kernel::prepare().err()
}
