//! Answers, on a thread of its own, one question at a time.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use datapath::volume::Volume;
use nix::libc;
use uuid::Uuid;

use super::{Answer, Question, Statistics};
use crate::hardening::{Call, Needs, Where};

/// The longest question, in bytes.
const MAX_QUESTION: u64 = 4096;
/// Who has connected must ask within this time.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a server says of itself.
pub(crate) struct Control {
    pub(crate) uuid: Uuid,
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) volume: Arc<Volume>,
    /// The volume reaches to the end of its backing, so that it can grow with it.
    pub(crate) follows_device: bool,
}

/// A control that listens and does not answer yet.
pub(crate) struct Bound {
    control: Control,
    listener: UnixListener,
    socket: PathBuf,
}

/// The thread. Dropped, it ends and its socket is gone.
pub(crate) struct Running {
    socket: PathBuf,
    listener: UnixListener,
    thread: Option<JoinHandle<()>>,
}

/// Limits on the time of a read and of a write.
const TIMES: [Call; 2] = [
    Call::only(libc::SYS_setsockopt, &[Where::is(1, libc::SOL_SOCKET as u64), Where::is(2, libc::SO_RCVTIMEO as u64)]),
    Call::only(libc::SYS_setsockopt, &[Where::is(1, libc::SOL_SOCKET as u64), Where::is(2, libc::SO_SNDTIMEO as u64)]),
];

impl Bound {
    /// What it does once it answers.
    pub(crate) fn add_needs(&self, needs: &mut Needs) {
        needs.removes.push(self.socket.clone());
        needs.calls.extend(TIMES);
    }

    /// Answers from now on, on a thread of its own.
    ///
    /// # Errors
    /// When the system refuses the thread.
    pub(crate) fn start(self) -> io::Result<Running> {
        let Self { control, listener, socket } = self;
        let theirs = listener.try_clone()?;
        let serve = move || {
            loop {
                match theirs.accept() {
                    Ok((stream, _)) => {
                        if let Err(error) = control.answer(&stream) {
                            tracing::debug!(%error, "a question was not answered");
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                    // The end: the socket was shut down.
                    Err(error) if error.kind() == io::ErrorKind::InvalidInput => return,
                    Err(error) => {
                        tracing::warn!(%error, "no question can be taken");
                        thread::sleep(PATIENCE);
                    }
                }
            }
        };
        let thread = thread::Builder::new().name("control".to_owned()).spawn(serve)?;
        Ok(Running { socket, listener, thread: Some(thread) })
    }
}

impl Control {
    /// Listens at `socket`, for this user only. The volume's lock must be held: what is in the way is left over.
    ///
    /// # Errors
    /// When the system refuses the socket.
    pub(crate) fn bind(self, socket: &Path) -> io::Result<Bound> {
        match fs::remove_file(socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => (),
        }
        let listener = UnixListener::bind(socket)?;
        // The directory is private already; this is the second lock on the door.
        fs::set_permissions(socket, fs::Permissions::from_mode(0o600))?;
        Ok(Bound { control: self, listener, socket: socket.to_owned() })
    }

    fn answer(&self, mut stream: &UnixStream) -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut line = String::new();
        BufReader::new(stream.take(MAX_QUESTION)).read_line(&mut line)?;
        let answer = match serde_json::from_str(&line) {
            Ok(question) => self.reply(question),
            Err(error) => Answer::Refused(format!("this question is not understood: {error}")),
        };
        let mut text = serde_json::to_string(&answer)?;
        text.push('\n');
        stream.write_all(text.as_bytes())
    }

    fn reply(&self, question: Question) -> Answer {
        match question {
            Question::Statistics => Answer::Statistics(self.statistics()),
            Question::Grow if !self.follows_device => {
                Answer::Refused("the header gives the volume a fixed length".to_owned())
            }
            Question::Grow => match self.volume.grow_to_backing() {
                Ok(len) => Answer::Grown(len.0),
                Err(error) => Answer::Refused(error.to_string()),
            },
        }
    }

    fn statistics(&self) -> Statistics {
        let geometry = self.volume.geometry();
        let queue = |queue: &datapath::volume::Snapshot| {
            queue.iter().map(|(counter, value)| (counter.to_owned(), value)).collect()
        };
        Statistics {
            uuid: self.uuid,
            name: self.name.clone(),
            path: self.path.clone(),
            size: geometry.len.0,
            read_only: geometry.read_only,
            latched: self.volume.is_latched(),
            queues: self.volume.statistics().iter().map(queue).collect(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let woken = rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both);
        if let Err(error) = fs::remove_file(&self.socket) {
            tracing::debug!(%error, "the control socket could not be removed");
        }
        if let Some(thread) = self.thread.take()
            && woken.is_ok()
            && thread.join().is_err()
        {
            tracing::error!("the control thread panicked");
        }
    }
}
