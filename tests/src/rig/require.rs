//! What a test needs of its machine. Where it is missing, the test says so and stops; in the CI it fails.

use std::path::Path;

use super::run::{Run, search_path};
use super::vm;

/// Debian's own Python: the one that its `python3-*` packages belong to.
pub const PYTHON: &str = "/usr/bin/python3";

/// One thing that a test needs.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    /// A program.
    Tool(&'static str),
    /// A module of Debian's Python.
    Python(&'static str),
    /// A shared library, by the name that the loader knows.
    Library(&'static str),
    /// To run as root.
    Root,
    /// FUSE.
    Fuse,
    /// Loop devices.
    Loop,
    /// A filesystem in memory that can be mounted.
    Tmpfs,
    /// A virtual machine with Debian's kernel ([`Vm`](super::Vm)).
    Vm,
}

/// Whether the machine has everything in `needs`. If not, what is missing was printed and the test should return.
///
/// # Panics
/// When something is missing and `CI=true`: there, nothing is skipped.
#[must_use]
pub fn require(needs: &[Need]) -> bool {
    let missing: Vec<String> = needs.iter().filter_map(|need| need.missing()).collect();
    if missing.is_empty() {
        return true;
    }
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let message = format!("{test}: skipped, because {} (.ci/setup installs the tools)", missing.join(", "));
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{message}");
    println!("{message}");
    eprintln!("{message}");
    false
}

impl Need {
    fn missing(self) -> Option<String> {
        match self {
            Self::Tool(name) => (!is_program(name)).then(|| format!("there is no `{name}`")),
            Self::Python(module) => (!has_module(module)).then(|| format!("{PYTHON} has no module `{module}`")),
            Self::Library(name) => (!has_library(name)).then(|| format!("there is no library `{name}`")),
            Self::Root | Self::Tmpfs => (!rustix::process::geteuid().is_root()).then(|| "this is not root".to_owned()),
            Self::Fuse => (!Path::new("/dev/fuse").exists()).then(|| "there is no /dev/fuse".to_owned()),
            Self::Vm => Self::Tool("qemu-system-x86_64").missing().or_else(vm::obstacle),
            Self::Loop => (!Path::new("/dev/loop-control").exists()).then(|| "there are no loop devices".to_owned()),
        }
    }
}

fn is_program(name: &str) -> bool {
    search_path().split(':').any(|folder| Path::new(folder).join(name).is_file())
}

fn has_module(module: &str) -> bool {
    is_program("python3") && Run::new(PYTHON).args(["-c", &format!("import {module}")]).succeeds()
}

fn has_library(name: &str) -> bool {
    is_program("python3") && Run::new(PYTHON).args(["-c", &format!("import ctypes; ctypes.CDLL('{name}')")]).succeeds()
}
