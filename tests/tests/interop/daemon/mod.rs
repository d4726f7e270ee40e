//! `sear daemon` as a process: the public SDK against it.

mod sdk;
