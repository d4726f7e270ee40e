//! Exports: how a volume is given back to clients as a block device.

pub mod fuse;
pub mod nbd;
pub mod ublk;
pub mod vhost;
