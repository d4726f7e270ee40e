//! Exports: how a [`Volume`](crate::volume::Volume) is given back to clients as a disk.

pub mod fuse;
pub mod nbd;
pub mod ublk;
