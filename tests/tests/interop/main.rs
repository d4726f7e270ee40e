//! Sear against programs that other people wrote: cryptsetup, libnbd, QEMU, fio, OpenSSL, the kernel's filesystems.
//!
//! `sear` itself runs as people run it: the real binary, on a state directory of its own. Tests that mount filesystems
//! need root and are marked as ignored; `.ci/test` runs them too.

mod adopted;
mod bad_input;
mod clients;
mod exported;
mod file_export;
mod fuse_calls;
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
mod tls;
mod vm;
mod xts;
