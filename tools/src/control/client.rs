//! Asks servers.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Answer, Question, SUFFIX};

/// A server that is busy still answers at once: its control has a thread of its own.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the server that listens at `socket`; `None` when there is none.
///
/// # Errors
/// When it does not answer, or not in a way that can be understood.
pub(crate) fn ask(socket: &Path, question: Question) -> io::Result<Option<Answer>> {
    let mut stream = match UnixStream::connect(socket) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_string(&question)?;
    line.push('\n');
    stream.write_all(line.as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(Some(serde_json::from_str(&answer)?))
}

/// The sockets of the servers that run or have left one behind.
///
/// # Errors
/// When the directory cannot be read.
pub(crate) fn running(run_dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(run_dir)?.collect::<Result<Vec<_>, _>>()?;
    let mut sockets: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    sockets.retain(|path| path.extension().is_some_and(|extension| extension == SUFFIX));
    sockets.sort();
    Ok(sockets)
}
