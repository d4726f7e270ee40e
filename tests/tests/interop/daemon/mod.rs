//! `sear daemon` as a process: the public SDK against it, a metadata drive or a volume that fails, and its sudden end in the middle of
//! every call.

mod full_drive;
mod full_volume;
mod kill;
mod old_header;
mod sdk;
mod verbs;
