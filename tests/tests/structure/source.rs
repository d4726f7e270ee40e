//! Rules on source files: where `unsafe` may be, and how long a file may be.

use std::path::Path;

use super::repository::{files_below, files_with_extension, text};

/// The only places where `unsafe` may be written; `docs/UNSAFE.md` says what each does with it.
const FENCED: [&str; 8] = [
    "datapath/src/cipher/simd",
    "datapath/src/buf",
    "datapath/src/ring",
    "datapath/src/worker/short_turns.rs",
    "datapath/tests/support/guarded.rs",
    "datapath/tests/support/counting.rs",
    "tests/src/ctgrind",
    "benches/compare/src/peers",
];

/// The crate roots that forbid `unsafe` for good.
const FORBIDS_UNSAFE: [&str; 6] = [
    "keywrap/src/lib.rs",
    "ekm-bridge/src/lib.rs",
    "tools/src/main.rs",
    "benches/compare/nbd/src/main.rs",
    "benches/compare/vm/src/main.rs",
    "benches/daemon/src/main.rs",
];

/// A file that is longer is more than one concept.
const MAX_LINES: usize = 450;

#[test]
fn unsafe_stays_in_the_fenced_folders() {
    for path in files_with_extension("", "rs") {
        if FENCED.iter().any(|fenced| path.starts_with(fenced)) {
            continue;
        }
        let text = text(&path).expect("source is UTF-8");
        for (number, line) in text.lines().enumerate() {
            assert!(!uses_unsafe(line), "{}:{}: unsafe outside of {FENCED:?}: {line}", path.display(), number + 1);
        }
    }
}

#[test]
fn the_crates_without_unsafe_forbid_it() {
    for root in FORBIDS_UNSAFE {
        let text = text(Path::new(root)).expect("source is UTF-8");
        assert!(text.contains("#![forbid(unsafe_code)]"), "{root} does not forbid unsafe code");
    }
}

#[test]
fn no_source_file_is_too_long() {
    for path in files_below("") {
        let is_source = path.starts_with(".ci") || path.extension().is_some_and(|ext| ext == "rs" || ext == "py");
        if !is_source {
            continue;
        }
        let lines = text(&path).expect("source is UTF-8").lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines; split it (at most {MAX_LINES})", path.display());
    }
}

#[test]
fn the_search_for_unsafe_sees_code_and_not_prose() {
    assert!(uses_unsafe(concat!("    uns", "afe { pointer.read() }")));
    assert!(uses_unsafe(concat!("uns", "afe impl Send for Ring {}")));
    assert!(uses_unsafe(concat!("pub uns", "afe fn read()")));
    assert!(!uses_unsafe("#![forbid(unsafe_code)]"));
    assert!(!uses_unsafe("// nothing unsafe here"));
}

/// Whether a line uses the keyword in code. A keyword in a string counts too: better too strict than too lax.
fn uses_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    [concat!("uns", "afe {"), concat!("uns", "afe fn"), concat!("uns", "afe impl"), concat!("uns", "afe extern")]
        .iter()
        .any(|pattern| code.contains(pattern))
}
