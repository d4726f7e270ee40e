//! What an instruction can be told to depend on: the registers before it runs.

use nix::libc::user_regs_struct;

/// The registers before an instruction: the instruction pointer, the flags, and the sixteen general-purpose registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State([u64; State::NAMES.len()]);

impl State {
    /// The registers, in the order in which a state keeps them.
    pub const NAMES: [&str; 18] = [
        "rip", "eflags", "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12",
        "r13", "r14", "r15",
    ];

    /// The address of the instruction.
    #[must_use]
    pub const fn rip(&self) -> u64 {
        self.0[0]
    }

    /// The names of the registers that differ.
    pub fn differing(&self, other: &Self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().zip(self.0.into_iter().zip(other.0)).filter(|(_, (a, b))| a != b).map(|(name, _)| name)
    }
}

impl From<user_regs_struct> for State {
    fn from(r: user_regs_struct) -> Self {
        Self([
            r.rip, r.eflags, r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rbp, r.rsp, r.r8, r.r9, r.r10, r.r11, r.r12,
            r.r13, r.r14, r.r15,
        ])
    }
}
