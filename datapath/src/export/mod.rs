//! Exports: how a [`Disk`](crate::disk::Disk) is given back to clients as a block device.

pub mod fuse;
pub mod nbd;
pub mod ublk;
