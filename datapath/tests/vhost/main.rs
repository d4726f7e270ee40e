//! The vhost-user-blk device as a virtual machine meets it: a front end by rust-vmm, and a driver written from the text of
//! virtio, on real shared memory and real sockets.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod crash;
mod driver;
mod front_end;
mod hostile;
mod reconnect;
mod requests;
mod served;
