//! What the cross-crate tests share: the simulator, and drivers for the real programs that Sear is tested against.

pub mod rig;
pub mod sim;
