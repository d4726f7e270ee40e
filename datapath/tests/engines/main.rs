//! Every engine against the slow, obvious reference: each length of run, each alignment, each kind of tweak, in place and
//! from a source to a destination, with guards around both. A report names the engine in every line.
//!
//! ```text
//! truth      what the reference computed, once for each key size and unit size
//! arena      memory with a chosen alignment and guards on both sides
//! probe      one call of an engine, and everything that must hold after it
//! runs, alignments, units, bulk      which calls
//! guards     the same between pages that nobody may touch
//! hidden     the same on lesser processors;  properties: any key, tweak, run and split
//! ```
//!
//! `SEAR_SUITE=short` makes it fit under a sanitizer.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod alignments;
mod arena;
mod bulk;
#[path = "../support/guarded.rs"]
mod guarded;
mod guards;
mod hidden;
mod probe;
mod properties;
mod runs;
mod truth;
mod units;

use datapath::cipher::dispatch::{Engine, EngineName};
use datapath::cipher::features::Features;

/// Runs a test on one engine; says so when this processor cannot.
fn on(name: EngineName, test: impl Fn(Engine)) {
    match Engine::new(name, Features::detect()) {
        Some(engine) => test(engine),
        None => println!("{name}: skipped, because this processor cannot run it"),
    }
}

/// Whether to do the less: under a sanitizer everything takes several times as long.
fn short() -> bool {
    std::env::var("SEAR_SUITE").as_deref() == Ok("short")
}

macro_rules! every_engine {
    ($($module:ident: $name:ident),+) => {
        $(mod $module {
            use super::{EngineName, alignments, bulk, guards, on, runs, units};

            const NAME: EngineName = EngineName::$name;

            #[test]
            fn every_count_of_units_at_every_edge_of_the_tweak_is_as_the_reference_has_it() {
                on(NAME, runs::every_count);
            }

            #[test]
            fn runs_up_to_many_mebibytes_are_as_the_reference_has_them() {
                on(NAME, runs::long);
            }

            #[test]
            fn every_alignment_of_source_and_destination_gives_the_same_bytes() {
                on(NAME, alignments::every_pair);
            }

            #[test]
            fn every_alignment_in_place_gives_the_same_bytes() {
                on(NAME, alignments::in_place);
            }

            #[test]
            fn long_runs_that_may_bypass_the_caches_work_at_every_alignment() {
                on(NAME, alignments::long);
            }

            #[test]
            fn a_data_unit_of_any_length_is_as_the_reference_has_it() {
                on(NAME, units::every_length);
            }

            #[test]
            fn a_data_unit_of_a_length_that_xts_does_not_allow_is_refused_untouched() {
                on(NAME, units::refused);
            }

            #[test]
            fn bulk_gives_the_same_bytes_inside_and_outside_of_a_thread_pool() {
                on(NAME, bulk::every_length);
            }

            #[test]
            fn a_run_touches_nothing_beyond_the_ends_of_its_buffers() {
                on(NAME, guards::runs);
            }

            #[test]
            fn a_data_unit_touches_nothing_beyond_its_ends() {
                on(NAME, guards::units);
            }
        })+

        #[test]
        fn no_engine_is_left_out() {
            assert_eq!(EngineName::ALL.as_slice(), [$(EngineName::$name),+]);
        }
    };
}

every_engine!(vaes512: Vaes512, vaes256: Vaes256, aesni: AesNi, portable: Portable, xts_mode: XtsMode);
