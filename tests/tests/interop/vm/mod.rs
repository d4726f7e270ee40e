//! Sear with kernel features that the host may lack, in a virtual machine.

mod rig;
