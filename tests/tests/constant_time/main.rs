//! No branch and no memory address of the cipher depends on a key or on the data. Two independent looks from outside;
//! `docs/constant-time.md` says what each covers and what it does not.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod jobs;
mod memcheck;
mod stepped;
