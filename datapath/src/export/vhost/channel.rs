//! The socket between a front end and the back end: messages, and the descriptors that come with them.

use std::io::{self, IoSlice, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};

use super::message::{HEADER_LEN, Header, MAX_FILES};

/// How long a front end may take to send the rest of a message, or to take an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A message as it came.
pub(super) struct Message {
    pub(super) header: Header,
    pub(super) payload: Vec<u8>,
    pub(super) files: Vec<OwnedFd>,
}

/// A front end's socket.
pub(super) struct Channel(UnixStream);

impl Channel {
    pub(super) fn new(socket: UnixStream) -> io::Result<Self> {
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self(socket))
    }

    /// The next message; `None` when the front end is gone. It waits no longer than a front end may take once a message
    /// has begun.
    ///
    /// # Errors
    /// When what comes is not a message, or ends in its middle.
    pub(super) fn receive(&mut self) -> io::Result<Option<Message>> {
        let (mut header, mut files) = ([0; HEADER_LEN], Vec::new());
        let received = self.receive_with_files(&mut header, &mut files)?;
        if received == 0 {
            return Ok(None);
        }
        self.0.read_exact(&mut header[received..])?;
        let header = Header::parse(&header).map_err(|reason| {
            io::Error::new(io::ErrorKind::InvalidData, format!("the front end sent no vhost-user message: {reason}"))
        })?;
        let mut payload = vec![0; header.len];
        self.0.read_exact(&mut payload)?;
        Ok(Some(Message { header, payload, files }))
    }

    /// Answers the message with that header.
    pub(super) fn reply(&self, to: Header, payload: &[u8], file: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let message = [&to.reply(payload.len())[..], payload].concat();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut files = SendAncillaryBuffer::new(&mut space);
        let file: Vec<_> = file.into_iter().collect();
        if !file.is_empty() && !files.push(SendAncillaryMessage::ScmRights(&file)) {
            return Err(io::Error::other("there is no room for a descriptor"));
        }
        let sent = rustix::net::sendmsg(&self.0, &[IoSlice::new(&message)], &mut files, SendFlags::NOSIGNAL)?;
        if sent == message.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    fn receive_with_files(&self, bytes: &mut [u8], files: &mut Vec<OwnedFd>) -> io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FILES))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(bytes)];
        let received = rustix::net::recvmsg(&self.0, &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = message {
                files.extend(received);
            }
        }
        if received.flags.contains(ReturnFlags::CTRUNC) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "more descriptors came than a message may have"));
        }
        Ok(received.bytes)
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
