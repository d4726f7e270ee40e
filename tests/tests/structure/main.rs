//! The shape of the repository, checked: folders, crate edges, layers inside crates, fenced `unsafe`, file sizes,
//! licences and the documents. `docs/ARCHITECTURE.md` says why each rule exists.

mod dependencies;
mod documents;
mod edges;
mod folders;
mod layers;
mod repository;
mod source;
