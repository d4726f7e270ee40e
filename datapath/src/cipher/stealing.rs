//! Ciphertext stealing (IEEE Std 1619-2018, sections 5.3.2 and 5.4.2): a partial block at the end of a data unit is made
//! whole with the end of the block before.

use super::engine::Direction;

/// A data unit without and with the blocks that stealing mixes: all of it and nothing, or all but the last whole block
/// and the partial one behind it.
pub(super) fn split(unit: &mut [u8]) -> (&mut [u8], &mut [u8]) {
    let whole = match unit.len() % 16 {
        0 => unit.len(),
        partial => unit.len() - partial - 16,
    };
    unit.split_at_mut(whole)
}

/// Treats the last whole block and the partial one behind it, 17 to 31 bytes together. `block` encrypts or decrypts one
/// block under the tweak of the given place: 0 is the last whole block's own, 1 the next.
///
/// ```text
/// encrypt:  X = E(P_m-1, T_m-1)   C_m = head of X   C_m-1 = E(P_m ‖ tail of X, T_m)
/// decrypt:  X = D(C_m-1, T_m)     P_m = head of X   P_m-1 = D(C_m ‖ tail of X, T_m-1)
/// ```
pub(super) fn steal(direction: Direction, end: &mut [u8], mut block: impl FnMut(&mut [u8; 16], usize)) {
    let (whole, partial) = end.split_at_mut(16);
    let (first, second) = match direction {
        Direction::Encrypt => (0, 1),
        Direction::Decrypt => (1, 0),
    };
    let mut lender = [0; 16];
    lender.copy_from_slice(whole);
    block(&mut lender, first);
    let mut filled = lender;
    filled[..partial.len()].copy_from_slice(partial);
    block(&mut filled, second);
    partial.copy_from_slice(&lender[..partial.len()]);
    whole.copy_from_slice(&filled);
}
