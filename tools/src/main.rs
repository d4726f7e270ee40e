//! The `sear` command.
fn main() {}
