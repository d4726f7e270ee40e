//! Gathers what criterion measured last and writes it down: `bench-record YYYY-MM-DD`.
#![forbid(unsafe_code)]

use std::error::Error;
use std::path::Path;

use sear_benches::machine::Machine;
use sear_benches::record::{self, Record};

fn main() -> Result<(), Box<dyn Error>> {
    let date = std::env::args().nth(1).ok_or("usage: bench-record YYYY-MM-DD")?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let measurements = record::gather(&root.join("../target/criterion"))
        .map_err(|error| format!("there is nothing to record ({error}): run `cargo bench -p sear-benches` first"))?;
    let record = Record { date, commit: record::commit()?, machine: Machine::this(), measurements };
    println!("{}", record.write(&root.join("record"))?.display());
    Ok(())
}
