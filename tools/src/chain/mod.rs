//! From a volume to a mounted filesystem, and back: the chain of a server, a block device and a mount.
//!
//! ```text
//! sear up (its own process) ──▶ RUN/UUID.fuse/disk ──▶ /dev/loopN ─┐
//!                         └───▶ RUN/UUID.sock ───────▶ /dev/nbdN ──┴──▶ check or make a filesystem ──▶ mounted at DIR
//! ```
//!
//! The server holds the key and runs no program; whoever sets the chain up holds no key and runs them all. What stands is
//! read from the kernel (mountinfo, sysfs) and from two symbolic links that only name things, so nothing can go stale:
//! `RUN/UUID.mount` leads to DIR and `RUN/UUID.nbd` to the NBD device.
//!
//! Reading order: `up`, `down`, `supervise`; then `device` (loop, nbd), `filesystem`, `server`, `links`, `mounts`,
//! `holders`, `program`.

mod device;
mod down;
mod error;
mod filesystem;
mod holders;
mod links;
mod mounts;
mod program;
mod server;
mod supervise;
mod up;

pub(crate) use down::{find, stands, sweep, take_down};
pub(crate) use error::ChainError;
pub(crate) use links::Links;
pub(crate) use server::{Background, Standby};
pub(crate) use supervise::supervise;
pub(crate) use up::{Wish, mount};
