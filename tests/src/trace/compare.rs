//! Where two traces part.

use std::fmt;

use super::tracee::Trace;

/// What must be the same in two traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// The instructions that ran, in their order.
    Path,
    /// These, and every general-purpose register and the flags before each of them.
    Registers,
}

/// The first place where two traces are not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Instructions before it.
    pub step: usize,
    /// The address of the last instruction that both ran, inside the program's file.
    pub after: u64,
    /// What differs: registers by name, or the lengths.
    pub what: String,
}

/// The first place where `a` and `b` differ in what is watched.
#[must_use]
pub fn difference(a: &Trace, b: &Trace, watch: Watch) -> Option<Difference> {
    let pairs = a.states.iter().zip(&b.states);
    let same = pairs.take_while(|(a, b)| a.rip() == b.rip() && (watch == Watch::Path || a == b)).count();
    let what = match (a.states.get(same), b.states.get(same)) {
        (None, None) => return None,
        (Some(a), Some(b)) => a.differing(b).collect::<Vec<_>>().join(", "),
        _ => format!("{} and {} instructions", a.states.len(), b.states.len()),
    };
    let after = same.checked_sub(1).map_or(0, |last| a.states[last].rip() - a.base);
    Some(Difference { step: same, after, what })
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, after, what } = self;
        write!(f, "at step {step}, after the instruction at {after:#x} of the file (see addr2line): {what}")
    }
}
