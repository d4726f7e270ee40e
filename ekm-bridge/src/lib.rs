//! Where master keys come from: key providers, the registry of volumes and the store that holds both.
#![forbid(unsafe_code)]
