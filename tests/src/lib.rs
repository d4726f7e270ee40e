//! What the cross-crate tests share: the simulator, drivers for the real programs that Sear is tested against, and the
//! means to watch a cipher from outside.

pub mod ctgrind;
pub mod probe;
pub mod rig;
pub mod sim;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub mod trace;
