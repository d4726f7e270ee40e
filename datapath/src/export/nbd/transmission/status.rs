//! `base:allocation`: what the backing has allocated, without ever promising zeroes.

use crate::disk::Extent;
use crate::export::nbd::wire;

/// One request looks at no more than this many bytes of the disk; the client asks on from there.
pub const MAX_STATUS_LEN: u32 = 1 << 30;
/// One reply holds no more than this many extents.
const MAX_DESCRIPTORS: usize = 1 << 14;

/// A run of bytes with one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Length in bytes, never 0.
    pub len: u32,
    /// `NBD_STATE_HOLE` or nothing.
    pub flags: u32,
}

/// The extents of a range of `len` bytes as descriptors: neighbours differ, none is empty, together they cover at most
/// `len`. With `one`, only the first.
#[must_use]
pub fn descriptors(extents: &[Extent], len: u32, one: bool) -> Vec<Descriptor> {
    let most = if one { 1 } else { MAX_DESCRIPTORS };
    let mut out: Vec<Descriptor> = Vec::new();
    let mut left = len;
    for extent in extents {
        let len = u32::try_from(extent.len).unwrap_or(u32::MAX).min(left);
        let flags = if extent.hole { wire::STATE_HOLE } else { 0 };
        left -= len;
        let full = out.len() == most;
        match out.last_mut() {
            _ if len == 0 => (),
            Some(last) if last.flags == flags => last.len += len,
            _ if full => break,
            _ => out.push(Descriptor { len, flags }),
        }
    }
    out
}
