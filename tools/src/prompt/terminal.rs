//! The controlling terminal: a question, and an answer with or without echo.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use keywrap::secret::SecretBytes;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use super::line::{Line, MAX_TYPED, Step};
use crate::error::Error;

/// The terminal that the process belongs to.
pub(super) struct Terminal(File);

impl Terminal {
    /// Opens `/dev/tty`.
    ///
    /// # Errors
    /// When the process has no terminal.
    pub(super) fn open() -> Result<Self, Error> {
        OpenOptions::new().read(true).write(true).open("/dev/tty").map(Self).map_err(|_| Error::NoTerminal)
    }

    /// Asks without echo.
    ///
    /// # Errors
    /// When the terminal fails, the person gives up, or the answer is too long.
    pub(super) fn ask_secret(&mut self, question: &str) -> Result<SecretBytes, Error> {
        let silent = SilentMode::enter(&self.0).map_err(Error::Terminal)?;
        let answer = self.write(question).and_then(|()| self.read_line());
        drop(silent);
        self.write("\n").map_err(Error::Terminal)?;
        match answer.map_err(Error::Terminal)? {
            (Step::Done, line) => Ok(line.finish()),
            (Step::TooLong, _) => Err(Error::TypedTooLong { limit: MAX_TYPED }),
            (Step::Aborted | Step::More, _) => Err(Error::Aborted),
        }
    }

    /// Asks with echo; the answer comes without surrounding white space.
    ///
    /// # Errors
    /// When the terminal fails.
    pub(super) fn ask(&mut self, question: &str) -> Result<String, Error> {
        self.write(question).map_err(Error::Terminal)?;
        let (_, line) = self.read_line().map_err(Error::Terminal)?;
        Ok(String::from_utf8_lossy(line.finish().expose_secret()).trim().to_owned())
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(text.as_bytes())?;
        self.0.flush()
    }

    /// One byte at a time, so that nothing behind the line is taken from the terminal.
    fn read_line(&mut self) -> io::Result<(Step, Line)> {
        let mut line = Line::new();
        let mut byte = [0];
        loop {
            if self.0.read(&mut byte)? == 0 {
                return Ok((Step::Aborted, line));
            }
            match line.feed(byte[0]) {
                Step::More => {}
                step => return Ok((step, line)),
            }
        }
    }
}

/// A terminal without echo, line discipline and signals; the former mode returns on drop. Ctrl-C arrives as a byte, so
/// that giving up restores the echo too.
struct SilentMode {
    terminal: File,
    former: Termios,
}

impl SilentMode {
    fn enter(terminal: &File) -> io::Result<Self> {
        let former = tcgetattr(terminal)?;
        let mut silent = former.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal: terminal.try_clone()?, former })
    }
}

impl Drop for SilentMode {
    fn drop(&mut self) {
        // Nothing better can be done when the terminal is gone.
        let _gone = tcsetattr(&self.terminal, OptionalActions::Flush, &self.former);
    }
}
