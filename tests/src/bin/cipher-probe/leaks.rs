//! Code that is wrong on purpose: a check of constant time that does not see these two sees nothing.

use std::hint::black_box;

static TABLE: [u8; 256] = [7; 256];

/// Branches on the lowest bit of a secret byte.
#[inline(never)]
pub(crate) fn branch(secret: &[u8]) {
    if secret[0] & 1 == 1 {
        black_box(odd());
    }
}

/// Takes a secret byte as the index of a table.
#[inline(never)]
pub(crate) fn table(secret: &[u8]) {
    black_box(black_box(&TABLE)[usize::from(secret[0])]);
}

#[inline(never)]
fn odd() -> u8 {
    black_box(1)
}
