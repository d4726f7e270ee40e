//! The control plane as a whole: the real one, over a store in memory, a data path that is a model, and key servers that
//! are models too; `kmip.rs` uses a real key manager (PyKMIP) where python3, openssl and PyPI are at hand.

#![expect(clippy::unwrap_used, reason = "a test may stop where it is")]

mod boot;
mod broken_volume;
mod calling_off;
mod clock;
mod crash;
mod crash_matrix;
mod disagreement;
mod drives;
mod hanging;
mod kmip;
#[path = "../kmip_server/rig/mod.rs"]
#[allow(dead_code, unused_imports, unreachable_pub, reason = "the tests of the KMIP client use all of it")]
mod kmip_rig;
mod ledger;
mod places;
mod procedure;
mod rekey;
mod rig;
mod rotation;
mod rules;
#[path = "../../../tests/src/sim/mod.rs"]
#[allow(dead_code, unused_imports, unreachable_pub, reason = "the tests of headers use all of it")]
mod sim;
mod stuck;
mod volumes;
