//! Keeps idle processors from halting.

use std::fs::{File, OpenOptions};
use std::io::Write;

/// While it lives, an idle processor polls for work. Otherwise it halts, and whoever wakes it pays: tens of microseconds in
/// a virtual machine, a hundred times what it costs on a bare processor that is awake. A server that a client waits for
/// pays most, so the figures would say more about the hypervisor than about the servers.
///
/// By the kernel's `/dev/cpu_dma_latency` (PM QoS), which forgets the wish when it is closed.
pub struct Awake(Option<File>);

impl Awake {
    /// Asks for it; without the device, or the permission, nothing changes.
    #[must_use]
    pub fn ask() -> Self {
        let ask = || {
            let mut device = OpenOptions::new().write(true).open("/dev/cpu_dma_latency")?;
            device.write_all(&0_i32.to_ne_bytes())?;
            Ok::<_, std::io::Error>(device)
        };
        Self(ask().ok())
    }

    /// What a report says about it.
    #[must_use]
    pub fn describe(&self) -> &'static str {
        match self.0 {
            Some(_) => "Idle processors polled instead of halting.",
            None => "Idle processors halted: waking them is a part of what servers and clients paid.",
        }
    }
}
