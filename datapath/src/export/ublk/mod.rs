//! ublk: the volume as a block device of this machine, `/dev/ublkbN`, without a socket or a network protocol.
//!
//! ```text
//!  /dev/ublkbN ─▶ the kernel's queues ─▶ Queue (a port of a worker; its descriptors say what is asked) ─▶ disk
//!       ▲                                    │
//!       └──── COMMIT_AND_FETCH_REQ ◀─────────┘          Device ─▶ Driver ─▶ /dev/ublk-control
//! ```
//! `device` is the life of a device and decides; `driver` has the kernel's commands, `abi` their bytes; `queue` serves
//! requests, `request` understands them; `users` finds out who would be hurt when the device went.
//!
//! **When the server dies** the device stays, and requests wait. The next server of the same volume finds it, by the
//! volume's identity that the kernel keeps with the device, and takes it over: requests that were being worked on are
//! given to it once more. Nothing is kept in files.
//!
//! Source: `Documentation/block/ublk.rst` and `linux/ublk_cmd.h`. Use and limits: `docs/ublk.md`.

mod abi;
mod device;
mod driver;
mod error;
mod gate;
mod queue;
mod request;
mod users;

pub use device::{Config, Device, carries, check};
pub use error::UblkError;
pub use users::Users;
