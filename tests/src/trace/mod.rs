//! Watches `cipher-probe` one instruction at a time through ptrace.
//!
//! The program stops itself before and after each call. From stop to stop it is stepped; what the instruction pointer,
//! the general-purpose registers and the flags were before each step is a [`Trace`].

mod compare;
mod count;
mod one_cpu;
mod state;
mod tracee;

pub use compare::{Difference, Watch, difference};
pub use count::count;
pub use state::State;
pub use tracee::{Trace, traces};
