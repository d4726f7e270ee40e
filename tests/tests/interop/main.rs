//! Sear against programs that other people wrote: cryptsetup, libnbd, QEMU, fio, OpenSSL, the kernel's filesystems.
//!
//! `sear` itself runs as people run it: the real binary, on a state directory of its own. Tests that mount filesystems
//! need root and are marked as ignored; `.ci/test` runs them too.

#[path = "../../../datapath/tests/support/history.rs"]
#[allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "the data path's tests use the rest")]
mod history;
#[path = "../../../datapath/tests/support/nbd_client.rs"]
#[allow(dead_code, unreachable_pub, reason = "the data path's tests use the rest")]
mod nbd_client;

mod adopted;
mod bad_input;
mod clients;
mod crowd;
mod daemon;
mod exported;
mod file_export;
mod full_medium;
mod fuse_calls;
mod growing;
mod hardening;
mod headers;
mod hostile_clients;
mod keyslots;
mod load;
mod mounts;
mod mounts_left_behind;
mod real_tree;
mod scripts;
mod secrets;
mod shared_file;
mod shared_volume;
mod tls;
mod vm;
mod xts;
