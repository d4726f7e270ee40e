//! A virtual machine that is about to start.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::kernel::Kernel;
use super::running::{Outcome, RunningVm};
use crate::rig::run::search_path;
use crate::rig::sear::program;

/// What stands before every script.
const PRELUDE: &str = include_str!("../../../scripts/vm/prelude");

/// How long a guest may take before it is ended and the test fails, in seconds.
const DEFAULT_LIMIT: u32 = 300;

/// A virtual machine that is about to start, with a folder that it shares with the host.
pub struct Vm {
    share: TempDir,
    memory: u32,
    limit: u32,
    arguments: Vec<OsString>,
}

impl Vm {
    /// A machine with two processors, 2 GiB of memory, a network and nothing else. Its folder has `sear` in `bin`.
    ///
    /// # Panics
    /// When the folder cannot be made.
    #[must_use]
    pub fn new() -> Self {
        let share = TempDir::with_prefix("sear-vm-").expect("a temporary folder can be made");
        fs::create_dir(share.path().join("bin")).expect("the folder can be made");
        let vm = Self { share, memory: 2048, limit: DEFAULT_LIMIT, arguments: Vec::new() };
        vm.offer(program());
        vm
    }

    /// Adds arguments of `qemu-system-x86_64`: devices, objects, character devices.
    #[must_use]
    pub fn qemu<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Adds `file` as a disk: the first one is `/dev/vda` once the guest has loaded `virtio_blk`, the second `/dev/vdb`.
    #[must_use]
    pub fn disk(self, file: &Path) -> Self {
        let mut value = OsString::from("if=virtio,format=raw,file=");
        value.push(file);
        self.qemu([OsStr::new("-drive"), &value])
    }

    /// Gives the guest `mebibytes` of memory that other processes can map, as vhost-user needs it.
    #[must_use]
    pub fn shared_memory(mut self, mebibytes: u32) -> Self {
        self.memory = mebibytes;
        self.qemu(["-object", &format!("memory-backend-memfd,id=memory,size={mebibytes}M,share=on")])
            .qemu(["-machine", "memory-backend=memory"])
    }

    /// Sets the time limit, in seconds.
    #[must_use]
    pub fn limit(mut self, seconds: u32) -> Self {
        self.limit = seconds;
        self
    }

    /// Puts a program of the host into the guest's `PATH`, under its own name.
    ///
    /// # Panics
    /// When the link cannot be made.
    pub fn offer(&self, program: &Path) {
        let name = program.file_name().expect("a program has a name");
        let link = self.share.path().join("bin").join(name);
        std::os::unix::fs::symlink(program, link).expect("the link can be made");
    }

    /// Where the host finds what the guest calls `/share/NAME`.
    #[must_use]
    pub fn share(&self, name: &str) -> PathBuf {
        self.share.path().join(name)
    }

    /// Starts the guest, runs `script` in it, and waits for its end.
    ///
    /// # Panics
    /// As [`Vm::start`] and [`RunningVm::wait`] do.
    #[must_use]
    pub fn run(self, script: &str) -> Outcome {
        self.start(script).wait()
    }

    /// Starts the guest and runs `script` in it. The test goes on meanwhile.
    ///
    /// # Panics
    /// When there is no kernel or QEMU does not start; [`Need::Vm`](crate::rig::Need::Vm) tells before.
    #[must_use]
    pub fn start(self, script: &str) -> RunningVm {
        let kernel = Kernel::prepare().unwrap_or_else(|reason| panic!("there is no kernel for the guest: {reason}"));
        fs::write(self.share("script"), format!("{PRELUDE}\n{script}")).expect("the script can be written");
        let console = File::create(self.share("console")).expect("the console's file can be made");
        // `timeout` ends the machine even when the test was ended in a way that runs no destructor.
        let mut command = Command::new("timeout");
        command
            .args(["--foreground", "--kill-after=5", &self.limit.to_string()])
            .arg("qemu-system-x86_64")
            .args(["-accel", "tcg,thread=multi", "-cpu", "max", "-machine", "q35", "-smp", "2"])
            .args(["-m", &self.memory.to_string(), "-nodefaults", "-display", "none", "-no-reboot"])
            .args(["-serial", "stdio", "-device", "virtio-rng-pci"])
            .args(["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net"])
            .arg("-kernel")
            .arg(kernel.image())
            .arg("-initrd")
            .arg(kernel.initramfs())
            .args(["-append", "console=ttyS0 panic=-1 quiet mitigations=off random.trust_cpu=on tsc=reliable"])
            .args(folder("host", Path::new("/"), ",readonly=on,multidevs=remap"))
            .args(folder("modules", &kernel.modules(), ",readonly=on"))
            .args(folder("share", self.share.path(), ""))
            .args(&self.arguments)
            .env("PATH", search_path())
            .stdin(Stdio::null())
            .stdout(console.try_clone().expect("a second handle"))
            .stderr(console);
        let child = command.spawn().expect("QEMU starts");
        RunningVm::new(child, self.share, self.limit)
    }
}

impl Default for Vm {
    fn default() -> Self {
        Self::new()
    }
}

/// A folder of the host that the guest mounts by its `tag`.
fn folder(tag: &str, path: &Path, options: &str) -> [OsString; 2] {
    let mut value = OsString::from("local,path=");
    value.push(path);
    value.push(format!(",mount_tag={tag},security_model=none{options}"));
    ["-virtfs".into(), value]
}
