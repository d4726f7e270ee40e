//! What the engines need of a vector register, whatever its width.
//!
//! The methods are `#[inline(always)]` and carry no `#[target_feature]` of their own: they become code of the function
//! that uses them, and every chain of calls starts in an entry point that has the features (see [`entry`](super::entry)).

/// A vector register that holds [`Self::BLOCKS`] blocks of AES.
///
/// # Safety
/// Every method is unsafe for one reason beside its pointers: the processor must have the instructions of the
/// implementation. Holding the engine's [`Token`](super::token::Token) proves it.
pub(super) trait Vector: Copy {
    /// Blocks of 16 bytes in a register.
    const BLOCKS: usize;
    /// Bytes in a register.
    const BYTES: usize = 16 * Self::BLOCKS;

    /// Reads [`Self::BYTES`] from any address.
    unsafe fn load(from: *const u8) -> Self;
    /// Writes [`Self::BYTES`] to any address.
    unsafe fn store(self, to: *mut u8);
    /// Writes [`Self::BYTES`] past the caches to an address that is a multiple of [`Self::BYTES`].
    unsafe fn stream(self, to: *mut u8);
    /// The same block in every place.
    unsafe fn broadcast(block: *const [u8; 16]) -> Self;
    /// `n` as a block of 128 bits, in every place.
    unsafe fn number(n: u64) -> Self;
    /// `n` in every 64-bit lane, to shift by.
    unsafe fn counts(n: u64) -> Self;

    /// The sum in every 64-bit lane, wrapping.
    unsafe fn add(self, b: Self) -> Self;
    /// `self ⊕ b`.
    unsafe fn xor(self, b: Self) -> Self;
    /// `self ⊕ b ⊕ c`.
    unsafe fn xor3(self, b: Self, c: Self) -> Self;
    /// Every 64-bit lane shifted left by the count in the same lane of `counts`; by 64 or more, zero.
    unsafe fn shift_left(self, counts: Self) -> Self;

    /// Every 64-bit lane shifted right by the count in the same lane of `counts`; by 64 or more, zero.
    unsafe fn shift_right(self, counts: Self) -> Self;
    /// The two 64-bit halves of every block changed over.
    unsafe fn swap_halves(self) -> Self;
    /// The lower half of every block times 0x86, without carries.
    unsafe fn times_86(self) -> Self;
    /// Every block times x^64, plus `c`.
    unsafe fn times_x64(self, c: Self) -> Self;

    /// One round of encryption.
    unsafe fn encrypt(self, key: Self) -> Self;
    /// The last round of encryption.
    unsafe fn encrypt_last(self, key: Self) -> Self;
    /// One round of decryption (equivalent inverse cipher, FIPS 197, section 5.3.5).
    unsafe fn decrypt(self, key: Self) -> Self;
    /// The last round of decryption.
    unsafe fn decrypt_last(self, key: Self) -> Self;

    /// The same value, which the compiler cannot see through: what is pinned stays in the order of the source.
    unsafe fn pin(self) -> Self;
    /// Zeroes every vector register of the processor.
    unsafe fn clear_registers();
}
