//! What a connection has to say: one message on its way, and one that gathers what comes meanwhile.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;

use super::SEND;
use super::channel::Channel;
use crate::buf::arena::Chunk;
use crate::export::nbd::fault::Fault;
use crate::ring::{File, Message};
use crate::worker::Context;

/// The outgoing side of a connection.
#[derive(Default)]
pub(super) struct Outgoing {
    gathering: Box<Message>,
    /// Bytes of disk data in it.
    gathered: usize,
    /// Messages that are complete as they travel, before `gathering`: what was said before TLS began.
    sealed: VecDeque<Box<Message>>,
    /// One that is not in use.
    spare: Option<Box<Message>>,
    sending: bool,
    /// Bytes of disk data in the message on its way.
    flying: usize,
    /// Ticks since the client last took something while there was something to take.
    ticks: u32,
}

impl Outgoing {
    pub(super) fn text(&mut self, bytes: &[u8]) {
        self.gathering.text(bytes);
    }

    pub(super) fn chunk(&mut self, chunk: Chunk, range: Range<usize>) {
        self.gathered += range.len();
        self.gathering.chunk(chunk, range);
    }

    /// What was said so far travels as it is, whatever the channel becomes.
    pub(super) fn seal(&mut self) {
        self.sealed.push_back(std::mem::take(&mut self.gathering));
    }

    /// Drops what is not on its way.
    pub(super) fn clear(&mut self) {
        self.sealed.clear();
        self.forget_gathered();
    }

    /// Drops what has gathered; what is complete as it travels is still sent.
    pub(super) fn forget_gathered(&mut self) {
        self.gathering.clear();
        self.gathered = 0;
    }

    /// Bytes that wait for the message on its way.
    pub(super) fn backlog(&self) -> usize {
        if self.sending { self.gathering.left() } else { 0 }
    }

    pub(super) fn is_sending(&self) -> bool {
        self.sending
    }

    /// Whether everything was said and taken.
    pub(super) fn is_idle(&self) -> bool {
        !self.sending && self.gathering.is_sent() && self.sealed.is_empty()
    }

    pub(super) fn tick(&mut self) {
        self.ticks = if self.sending { self.ticks + 1 } else { 0 };
    }

    pub(super) fn ticks(&self) -> u32 {
        self.ticks
    }

    /// Sends what has gathered, unless something is on its way.
    pub(super) fn send(&mut self, channel: &mut Channel, file: &File, cx: &mut Context<'_>) -> Result<(), Fault> {
        if self.sending {
            return Ok(());
        }
        let message = if let Some(message) = self.sealed.pop_front() {
            message
        } else {
            let has_text = !self.gathering.is_sent() && channel.is_ready();
            if !has_text && !channel.wants_to_send() {
                return Ok(());
            }
            let next = self.spare.take().unwrap_or_default();
            let mut message = std::mem::replace(&mut self.gathering, next);
            if !has_text {
                // Only the session speaks: what has gathered waits until it can be understood.
                std::mem::swap(&mut self.gathering, &mut message);
            }
            channel.wrap(&mut message)?;
            message
        };
        self.flying = std::mem::take(&mut self.gathered);
        self.fly(message, file, cx);
        Ok(())
    }

    /// The ring hands the message on its way back: what is left of it has to be sent again. How many bytes of disk data
    /// are out of our hands.
    pub(super) fn sent(&mut self, mut message: Box<Message>, result: &io::Result<u32>) -> usize {
        self.sending = false;
        if let Ok(sent) = result {
            self.ticks = 0;
            message.advance(*sent as usize);
        }
        if result.is_ok() && !message.is_sent() {
            self.sealed.push_front(message);
            // They are still in the message.
            self.gathered += std::mem::take(&mut self.flying);
            return 0;
        }
        message.clear();
        self.spare = Some(message);
        std::mem::take(&mut self.flying)
    }

    fn fly(&mut self, message: Box<Message>, file: &File, cx: &mut Context<'_>) {
        self.sending = true;
        let tag = cx.tag(SEND);
        cx.ring.send(file, message, tag);
    }
}
