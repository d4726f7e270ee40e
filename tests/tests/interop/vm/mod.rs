//! Sear with kernel features that the host may lack, in a virtual machine.

mod dm_crypt;
mod nbd;
mod rig;
mod ublk;
mod vhost_user;
