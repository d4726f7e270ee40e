//! A vhost-user-blk device: a volume as a disk of a virtual machine, its requests taken straight from guest memory.
//!
//! ```text
//!  front end (QEMU) ══ socket ══▶ session: one thread, messages one by one ── orders ──┐
//!                                                                                      ▼
//!  guest ──▶ available ring ──▶ queue: a port on a worker ──▶ requests ──▶ the worker's disk
//!  guest ◀── used ring      ◀── (status, notification)    ◀── pieces, in any order ◀──┘
//! ```
//! Each virtqueue is a [`Port`](crate::worker::Port) of a worker, so its requests run on the worker's ring with the
//! cipher inline, and take no lock. The session speaks the vhost-user protocol with the one front end there is; it does
//! nothing while requests flow.
//!
//! **Guest memory** belongs to somebody who may be hostile and changes it at any time. Each descriptor, header and byte of
//! data is read once, into memory of our own, and what was decided on is what was read. What is written to it is what
//! the protocol says: data of reads, status bytes, used rings.
//!
//! Sources: virtio 1.3, sections 2.7 (split virtqueues) and 5.2 (block device); QEMU's `docs/interop/vhost-user.rst`.
//! What is covered is in `docs/vhost-user.md`.

mod chain;
mod channel;
mod device;
mod inflight;
mod memory;
mod message;
mod order;
mod queue;
mod request;
mod server;
mod session;
mod transfer;
mod virtqueue;
mod vring;

pub use server::{Export, Serving};
