//! The kernel that guests run, prepared once by `.ci/vm-kernel`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::rig::run::search_path;

/// Debian's kernel, unpacked below the target folder.
pub(super) struct Kernel {
    folder: PathBuf,
}

impl Kernel {
    /// The kernel, made ready by the first caller: it downloads 110 MB, unless an earlier run did.
    ///
    /// # Errors
    /// What the script said when it could not: a tool is missing, or the mirror cannot be reached.
    pub(super) fn prepare() -> Result<&'static Self, String> {
        static KERNEL: OnceLock<Result<Kernel, String>> = OnceLock::new();
        KERNEL.get_or_init(Self::make).as_ref().map_err(Clone::clone)
    }

    /// The kernel's image.
    pub(super) fn image(&self) -> PathBuf {
        self.folder.join("vmlinuz")
    }

    /// What the kernel starts with.
    pub(super) fn initramfs(&self) -> PathBuf {
        self.folder.join("initramfs")
    }

    /// The folder that becomes `/lib/modules`.
    pub(super) fn modules(&self) -> PathBuf {
        self.folder.join("lib/modules")
    }

    fn make() -> Result<Self, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let folder = target.join("vm-rig");
        let output = Command::new("bash")
            .arg(root.join(".ci/vm-kernel"))
            .arg(&folder)
            .env("PATH", search_path())
            .output()
            .map_err(|error| format!("cannot run bash: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        Ok(Self { folder })
    }
}
