//! Unmounts a FUSE export for its server: a process of its own, without a key, because a server gives up what unmounting
//! takes (a capability, or the right to start `fusermount3`).
//!
//! ```text
//! server ── "unmount" ─▶ unmounter ── umount(2) or fusermount3
//!        ◀─ "done", "busy" or why not, in one line
//! ```
//! It ends when the server does, in whatever way.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use datapath::export::fuse::{Handle, UnmountError};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// The verb that makes this program an unmounter.
pub(crate) const VERB: &str = "unmounter";

const UNMOUNT: &str = "unmount";
const DONE: &str = "done";
const BUSY: &str = "busy";

/// The server's side.
pub(super) struct Unmounter {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Unmounter {
    /// Starts the process, for what will be mounted at `dir`, an absolute path.
    ///
    /// # Errors
    /// When this program cannot be started once more.
    pub(super) fn start(dir: &Path) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        // `fusermount3` is looked for in PATH.
        command.arg(VERB).arg(dir).env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        // A Ctrl-C at the terminal is for the server, which will ask. Nobody waits for this process's output.
        command.process_group(0).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (ask, answers) = pipes.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { child, ask, answers: BufReader::new(answers) })
    }

    /// Has the export unmounted.
    ///
    /// # Errors
    /// See [`Handle::unmount`].
    pub(super) fn unmount(&mut self) -> Result<(), UnmountError> {
        writeln!(self.ask, "{UNMOUNT}")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        match answer.trim_end() {
            DONE => Ok(()),
            BUSY => Err(UnmountError::Busy),
            "" => Err(UnmountError::System(io::Error::other("the process that unmounts has ended"))),
            why => Err(UnmountError::System(io::Error::other(why.to_owned()))),
        }
    }

    /// Ends the process.
    pub(super) fn end(self) {
        let Self { mut child, ask, answers } = self;
        drop((ask, answers));
        if let Err(error) = child.wait() {
            tracing::debug!(%error, "the process that unmounts was not waited for");
        }
    }
}

/// The other side: does what is asked on standard input until that ends.
///
/// # Errors
/// When the pipes fail.
pub(crate) fn serve(dir: PathBuf) -> io::Result<()> {
    // Whoever ends all of the server's processes would end the one that takes its mount down first.
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    let handle = Handle::of(dir);
    for line in io::stdin().lock().lines() {
        if line? != UNMOUNT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut out = io::stdout().lock();
        match handle.unmount() {
            Ok(()) => writeln!(out, "{DONE}")?,
            Err(UnmountError::Busy) => writeln!(out, "{BUSY}")?,
            Err(error) => writeln!(out, "{}", error.to_string().replace('\n', " "))?,
        }
        out.flush()?;
    }
    Ok(())
}
