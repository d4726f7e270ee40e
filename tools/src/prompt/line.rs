//! A line typed without echo: a state machine from bytes to a finished line, with no terminal in it.

use keywrap::secret::SecretBytes;

/// The longest passphrase that can be typed, as in cryptsetup.
pub(super) const MAX_TYPED: usize = 512;

const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const CTRL_U: u8 = 0x15;
const DELETE: u8 = 0x7f;

/// What a byte did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The line goes on.
    More,
    /// The line is complete.
    Done,
    /// The person gave up.
    Aborted,
    /// The line is longer than [`MAX_TYPED`].
    TooLong,
}

/// A line being typed.
pub(super) struct Line {
    buf: SecretBytes,
    len: usize,
}

impl Line {
    /// An empty line.
    pub(super) fn new() -> Self {
        Self { buf: SecretBytes::zeroed(MAX_TYPED), len: 0 }
    }

    /// Takes one byte from the terminal.
    pub(super) fn feed(&mut self, byte: u8) -> Step {
        match byte {
            b'\r' | b'\n' => return Step::Done,
            CTRL_D if self.len == 0 => return Step::Aborted,
            CTRL_D => return Step::Done,
            CTRL_C => return Step::Aborted,
            CTRL_U => self.len = 0,
            BACKSPACE | DELETE => self.erase_char(),
            byte => return self.push(byte),
        }
        Step::More
    }

    /// What was typed.
    pub(super) fn finish(self) -> SecretBytes {
        SecretBytes::copy_from(self.typed())
    }

    fn typed(&self) -> &[u8] {
        self.buf.expose_secret().get(..self.len).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) -> Step {
        let Some(place) = self.buf.expose_secret_mut().get_mut(self.len) else { return Step::TooLong };
        *place = byte;
        self.len += 1;
        Step::More
    }

    /// Takes back one character: UTF-8 continuation bytes (10xxxxxx) belong to the byte before them.
    fn erase_char(&mut self) {
        let start = self.typed().iter().rposition(|byte| byte & 0xc0 != 0x80);
        self.len = start.unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_in(bytes: &[u8]) -> (Step, Vec<u8>) {
        let mut line = Line::new();
        let last = bytes.iter().map(|byte| line.feed(*byte)).find(|step| *step != Step::More);
        (last.unwrap_or(Step::More), line.finish().expose_secret().to_vec())
    }

    #[test]
    fn a_line_ends_at_return() {
        assert_eq!(type_in(b"abc\rdef"), (Step::Done, b"abc".to_vec()));
        assert_eq!(type_in(b"abc\n"), (Step::Done, b"abc".to_vec()));
        assert_eq!(type_in(b"abc"), (Step::More, b"abc".to_vec()));
    }

    #[test]
    fn backspace_takes_back_a_whole_character() {
        assert_eq!(type_in("aß\u{7f}b\n".as_bytes()), (Step::Done, b"ab".to_vec()));
        assert_eq!(type_in(b"\x08\x08a\n"), (Step::Done, b"a".to_vec()));
    }

    #[test]
    fn control_u_starts_again_and_control_c_gives_up() {
        assert_eq!(type_in(b"wrong\x15right\n"), (Step::Done, b"right".to_vec()));
        assert_eq!(type_in(b"ab\x03").0, Step::Aborted);
        assert_eq!(type_in(b"\x04").0, Step::Aborted);
    }

    #[test]
    fn a_line_holds_512_bytes_and_no_more() {
        assert_eq!(type_in(&[b'x'; MAX_TYPED]).0, Step::More);
        assert_eq!(type_in(&[b'x'; MAX_TYPED + 1]).0, Step::TooLong);
    }
}
