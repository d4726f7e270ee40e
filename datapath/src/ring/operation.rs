//! What is in flight: each operation with the memory that the kernel uses for it.

use std::io;
use std::time::Duration;

use io_uring::types::Timespec;

use super::file::File;
use super::message::Message;
use super::received::Received;
use crate::buf::arena::Chunk;
use crate::table::Table;

/// What an operation owned, handed back when it completes.
pub enum Held {
    /// Nothing that matters to the caller.
    Nothing,
    /// Of a read, a write, or a command that came with one.
    Chunk(Chunk),
    /// Of a receive that received.
    Received(Received),
    /// Of a send.
    Message(Box<Message>),
}

impl Held {
    /// The chunk of a read or write.
    ///
    /// # Errors
    /// When it is something else: the caller mixed up its tags.
    pub fn chunk(self) -> io::Result<Chunk> {
        match self {
            Self::Chunk(chunk) => Ok(chunk),
            _ => Err(io::Error::other("a completion that is no read or write was taken for one")),
        }
    }
}

/// An operation and everything it refers to.
pub(super) enum Op {
    Read { file: File, chunk: Chunk, from: usize, offset: u64 },
    Write { file: File, chunk: Chunk, from: usize, offset: u64, sync: bool },
    Sync { file: File },
    Receive { file: File },
    Send { file: File, message: Box<Message> },
    Readable { file: File },
    Timer { delay: Duration, spec: Box<Timespec> },
    Command { file: File, code: u32, arguments: [u8; 8], chunk: Option<Chunk> },
}

impl Op {
    pub(super) fn timer(delay: Duration) -> Self {
        Self::Timer { delay, spec: Box::new(Timespec::from(delay)) }
    }

    pub(super) fn into_held(self) -> Held {
        match self {
            Self::Read { chunk, .. } | Self::Write { chunk, .. } => Held::Chunk(chunk),
            Self::Command { chunk: Some(chunk), .. } => Held::Chunk(chunk),
            Self::Send { message, .. } => Held::Message(message),
            _ => Held::Nothing,
        }
    }
}

/// The operations in flight, by number, each with its tag.
#[derive(Default)]
pub(super) struct Operations(Table<(u64, Op)>);

impl Operations {
    /// Keeps an operation; its number, and where it stays until removed. (Only its heap memory is pinned: the entry
    /// itself may move when the table grows, so an engine must not point into it.)
    ///
    /// # Panics
    /// Never: what was inserted is there.
    pub(super) fn insert(&mut self, tag: u64, op: Op) -> (u32, &mut Op) {
        let number = self.0.insert((tag, op));
        #[expect(clippy::expect_used, reason = "inserted in the line above")]
        let (_, op) = self.0.get_mut(number).expect("what was inserted is there");
        (number, op)
    }

    pub(super) fn get(&self, number: u32) -> Option<&Op> {
        self.0.get(number).map(|(_, op)| op)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Op> {
        self.0.get_mut(number).map(|(_, op)| op)
    }

    /// Takes an operation out.
    ///
    /// # Panics
    /// When no such operation is in flight: an engine has told of it twice.
    pub(super) fn remove(&mut self, number: u32) -> (u64, Op) {
        #[expect(clippy::expect_used, reason = "going on would hand memory back that the kernel may still use")]
        self.0.remove(number).expect("an operation completes once")
    }

    /// The numbers of the operations with this tag.
    pub(super) fn numbers_of(&self, tag: u64) -> Vec<u32> {
        self.0.iter().filter(|(_, (its, _))| *its == tag).map(|(number, _)| number).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Gives up on what is in flight without freeing it.
    pub(super) fn leak(&mut self) {
        std::mem::forget(std::mem::take(&mut self.0));
    }
}
