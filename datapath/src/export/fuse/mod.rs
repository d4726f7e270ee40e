//! The FUSE export: a volume as one regular file, `DIR/disk`, that a loop device, a virtual machine or `dd` takes.
//!
//! ```text
//! file ── kernel ── /dev/fuse ──▶ thread: read the request · read_at or write_at · answer     (one clone of the device each)
//! ```
//!
//! A thread carries its request out by itself ([`BlockingDisk`](crate::disk::BlockingDisk)), so as many requests are
//! in flight as there are threads. Nothing is cached by the kernel (`FOPEN_DIRECT_IO`): what a write has stored, the next
//! read sees, and an fsync is the disk's flush. What each call means is in docs/fuse.md.
//!
//! Reading order: `server` (start, end), `attach` (the mount), `filesystem` (the calls), `errno`.

mod attach;
mod errno;
mod filesystem;
mod server;

pub use attach::UnmountError;
pub use server::{Config, Handle, MountError, RunError, Server};

/// The name of the file in the directory.
pub const FILE_NAME: &str = "disk";

/// Longest read or write in one request, in bytes: as much as the kernel sends (256 pages).
const MAX_TRANSFER: u32 = 1 << 20;

/// Asynchronous requests that the kernel sends before it waits for answers: more than a deep queue of a loop device.
const MAX_BACKGROUND: u16 = 128;
