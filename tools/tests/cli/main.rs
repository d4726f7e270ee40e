//! Drives the real `sear` binary: exit codes, messages, JSON documents, what is left on disk.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a failed test")]

mod bench;
mod config;
mod daemon;
mod docs;
mod erase;
mod foreign;
mod keys;
mod occupied;
mod passphrase;
mod rig;
mod serving;
mod terminal;
mod usage;
mod volume;
