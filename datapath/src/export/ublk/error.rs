//! Why a device cannot be made, taken over or removed, and what to do about it.

use std::io;

use super::users::Users;

/// See the module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UblkError {
    /// The kernel module is not loaded, or the kernel has none.
    #[error("there is no /dev/ublk-control; load the driver with `modprobe ublk_drv` (Linux 6.5 or later)")]
    NoDriver,
    /// The control device cannot be used.
    #[error(
        "cannot use /dev/ublk-control: {0}; run as root, or let a udev rule give the user access (docs/ublk.md, \
         \"Without root\")"
    )]
    Control(io::Error),
    /// The kernel's driver is too old.
    #[error("this kernel's ublk driver lacks {0}; Linux 6.5 or later has it")]
    Lacks(&'static str),
    /// A ring is needed.
    #[error("ublk needs io_uring, which this system does not allow; serve NBD, or see `sear doctor`")]
    NoUring,
    /// A command failed.
    #[error("the kernel refused to {doing} the ublk device: {source}")]
    Refused {
        /// What was asked, as a verb.
        doing: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The node of the device cannot be used.
    #[error("cannot open {path}: {source}; is /dev a devtmpfs, and may this user open the device?")]
    Node {
        /// The node.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// A queue did not start or has failed.
    #[error("a queue of the ublk device failed: {0}")]
    Queue(io::Error),
    /// A device that waits for its server does not fit the volume as it is to be served.
    #[error(
        "/dev/ublkb{device} waits to be taken over, but {what}; serve the volume as before, unmount the device, and \
         start anew"
    )]
    Differs {
        /// Its number.
        device: u32,
        /// What is different.
        what: String,
    },
    /// Somebody uses the device.
    #[error("/dev/ublkb{device} is in use: {users}")]
    Busy {
        /// Its number.
        device: u32,
        /// By whom.
        users: Users,
    },
    /// The kernel cannot change a device's length.
    #[error("this kernel cannot change the length of a ublk device (Linux 6.16 or later can); restart the server")]
    NoResize,
}

impl UblkError {
    pub(super) fn refused(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Refused { doing, source }
    }
}
