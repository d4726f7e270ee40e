//! Capabilities: a thread that serves needs none, whoever started it. The user stays: the files are open.
//!
//! The kernel keeps capabilities per thread (capabilities(7)), so each thread gives up its own; threads that come later
//! inherit what their maker has left.

use rustix::io::Errno;
use rustix::thread::{CapabilitySet, CapabilitySets};

/// The calling thread keeps `keep` of what it has, and neither it nor what it starts can get more.
///
/// # Errors
/// The operating system's refusal.
pub(super) fn drop_all_but(keep: CapabilitySet) -> rustix::io::Result<()> {
    rustix::thread::set_no_new_privs(true)?;
    let now = rustix::thread::capabilities(None)?;
    if now.effective.contains(CapabilitySet::SETPCAP) {
        empty_bounding_set()?;
    }
    let left = now.permitted & keep;
    // What leaves these sets leaves the ambient set too.
    let sets = CapabilitySets { effective: left, permitted: left, inheritable: CapabilitySet::empty() };
    rustix::thread::set_capabilities(None, sets)
}

/// Every capability that the running kernel knows, known here or not.
fn empty_bounding_set() -> rustix::io::Result<()> {
    for bit in 0..u64::BITS {
        match rustix::thread::remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << bit)) {
            Err(Errno::INVAL) => break,
            outcome => outcome?,
        }
    }
    Ok(())
}
