//! What the measurement needs from the machine: processes on chosen processors, and places for images and sockets.

pub(crate) mod cores;
pub(crate) mod cpu_time;
pub(crate) mod loop_device;
pub(crate) mod page_cache;
pub(crate) mod process;
pub(crate) mod scratch;
