//! `sear daemon` as a process: the public SDK against it, a metadata drive that fails, and its sudden end in the middle of
//! every call.

mod full_drive;
mod kill;
mod old_header;
mod sdk;
mod verbs;
