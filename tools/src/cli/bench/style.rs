//! How a chart may look where it is shown.

use std::env;
use std::io::{IsTerminal, stdout};

/// The width where nobody tells one: a file, a pipe.
const PLAIN_WIDTH: usize = 80;
/// Wider bars are no easier to compare.
const MAX_WIDTH: usize = 120;

/// Width and character set of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    /// Columns.
    pub(super) width: usize,
    /// Escape sequences for colour.
    pub(super) colour: bool,
    /// Bars of block characters, to an eighth of a column; `#` otherwise.
    pub(super) blocks: bool,
}

impl Style {
    /// For a file or a pipe.
    pub(super) const PLAIN: Self = Self { width: PLAIN_WIDTH, colour: false, blocks: false };

    /// What standard output can show.
    pub(super) fn of_stdout() -> Self {
        if !stdout().is_terminal() {
            return Self::PLAIN;
        }
        let columns = rustix::termios::tcgetwinsize(stdout()).map_or(0, |size| size.ws_col);
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
        Self::of_terminal(columns, is_set("NO_COLOR"), is_dumb)
    }

    /// A terminal of so many columns; one that does not know has 0.
    fn of_terminal(columns: u16, no_color: bool, is_dumb: bool) -> Self {
        let width = if columns == 0 { PLAIN_WIDTH } else { MAX_WIDTH.min(columns.into()) };
        Self { width, colour: !no_color && !is_dumb, blocks: !is_dumb }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_says_how_wide_it_is_and_its_user_whether_colour_is_welcome() {
        let style = |width, colour, blocks| Style { width, colour, blocks };
        assert_eq!(Style::of_terminal(100, false, false), style(100, true, true));
        assert_eq!(Style::of_terminal(0, true, false), style(80, false, true));
        assert_eq!(Style::of_terminal(999, false, true), style(120, false, false));
    }
}
