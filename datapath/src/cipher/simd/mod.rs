//! The engines that we write ourselves, for x86-64: VAES with 512-bit and 256-bit registers, and AES-NI.
//!
//! ```text
//! engine     the safe face: buffers become addresses, a token proves the processor's features
//! entry      where features begin: one function per width and direction, everything below is inlined into it
//! run, unit  from slab to slab: a run of data units; one data unit of any length
//! kernel     a group of registers through all rounds, making the next slab's masks between them
//! tweak      masks: first tweaks spread over a slab, and from one slab to the next
//! firsts     first tweaks of many data units at once
//! vector     what a register can do; registers: the three widths
//! schedule   round keys;  memory: tweaks on the stack, wiped;  ecb: what benchmarks divide by
//! ```
//!
//! Everything is generic over the register ([`vector::Vector`]), the direction, the rounds of AES and the registers in
//! flight: one text for all engines. docs/cipher.md explains it from the beginning.
#![expect(unsafe_code, reason = "vector instructions and the memory they work on; docs/UNSAFE.md lists the hazards")]

mod ecb;
mod engine;
mod entry;
mod firsts;
mod kernel;
mod memory;
mod registers;
mod run;
mod schedule;
#[cfg(test)]
mod tests;
mod token;
mod tweak;
mod unit;
mod vector;

pub(super) use engine::{Ecb, engine};
pub(super) use token::{Token, Width};
