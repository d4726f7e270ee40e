//! What ublk, the kernel's block devices served from user space, needs beside a [`Ring`](super::Ring): commands of 80
//! bytes to its control device, and a look at the memory in which it describes requests.
//!
//! Source of numbers and layouts: `linux/ublk_cmd.h`. What the commands mean is the business of the export.

mod control;
mod descriptors;

pub use control::{Command, Control};
pub use descriptors::{Descriptor, Descriptors};
