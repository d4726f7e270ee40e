//! The result of `sear bench cipher` as bars, to scale among lines of the same number of threads.

use std::fmt;

use serde::{Serialize, Serializer};

use super::cipher::Row;
use super::style::Style;

/// A bar shorter than this compares nothing and is left out.
const MIN_BAR: usize = 8;
const CYAN: &str = "\x1b[36m";
const RESET: &str = "\x1b[0m";

/// The rows, and how to show them.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    rows: Vec<Row>,
    style: Style,
}

impl Chart {
    /// A chart of `rows`; those of one number of threads stand together.
    pub(super) fn new(rows: Vec<Row>, style: Style) -> Self {
        Self { rows, style }
    }
}

impl Serialize for Chart {
    /// The rows alone.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rows.serialize(serializer)
    }
}

impl fmt::Display for Chart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "AES-256-XTS, 16 KiB per call, in GB/s (10^9 bytes per second).")?;
        writeln!(f, "In brackets: of what AES alone, without the tweaks, reaches on the same engine.")?;
        for group in self.rows.chunk_by(|one, next| one.threads == next.threads) {
            let threads = group.first().map_or(0, |row| row.threads);
            writeln!(f, "\n{threads} {}", if threads == 1 { "thread" } else { "threads" })?;
            let longest = group.iter().map(|row| row.gbps).fold(0.0, f64::max);
            group.iter().try_for_each(|row| self.line(f, row, longest))?;
        }
        Ok(())
    }
}

impl Chart {
    /// One row: what it is, its bar, its numbers.
    fn line(&self, f: &mut fmt::Formatter<'_>, row: &Row, longest: f64) -> fmt::Result {
        let label = format!("  {:<8} {:>4} {}", row.engine, row.unit, row.direction);
        let numbers = format!("{:>7.2}  ({:>3.0} %)", row.gbps, row.ceiling_ratio * 100.0);
        let room = self.style.width.saturating_sub(label.len() + numbers.len() + 2);
        if room < MIN_BAR {
            return writeln!(f, "{label} {numbers}");
        }
        let bar = bar(row.gbps / longest, room, self.style.blocks);
        let gap = " ".repeat(room - bar.chars().count());
        let (on, off) = if self.style.colour { (CYAN, RESET) } else { ("", "") };
        writeln!(f, "{label} {on}{bar}{off}{gap} {numbers}")
    }
}

/// A bar that fills `part` of `room` columns, rounded down to what the characters can show.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float becomes an integer by saturating")]
fn bar(part: f64, room: usize, blocks: bool) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = ((part * room as f64 * 8.0) as usize).min(room * 8);
    if blocks { "█".repeat(eighths / 8) + EIGHTHS[eighths % 8] } else { "#".repeat(eighths / 8) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(engine: &'static str, threads: usize, gbps: f64) -> Row {
        Row { engine, unit: 4096, direction: "encrypt", threads, gbps, ceiling_ratio: 0.9 }
    }

    fn lines(style: Style) -> Vec<String> {
        let rows = vec![row("vaes512", 1, 8.0), row("xts-mode", 1, 2.0), row("vaes512", 64, 512.0)];
        Chart::new(rows, style).to_string().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_bar_is_as_long_as_its_part_of_the_room() {
        assert_eq!(bar(1.0, 10, false), "##########");
        assert_eq!(bar(0.55, 10, false), "#####");
        assert_eq!(bar(0.55, 10, true), "█████▌");
        assert_eq!(bar(7.0, 3, true), "███", "never longer than the room");
        assert_eq!((bar(0.0, 10, true), bar(f64::NAN, 10, true)), (String::new(), String::new()));
    }

    #[test]
    fn the_plain_chart_is_ascii_and_bars_are_to_scale_among_the_same_threads() {
        let lines = lines(Style { width: 61, ..Style::PLAIN });
        assert_eq!(
            lines[2..],
            [
                "",
                "1 thread",
                "  vaes512  4096 encrypt ####################    8.00  ( 90 %)",
                "  xts-mode 4096 encrypt #####                   2.00  ( 90 %)",
                "",
                "64 threads",
                "  vaes512  4096 encrypt ####################  512.00  ( 90 %)",
            ]
        );
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_colours_take_no_room() {
        for width in [49, 60, 80, 120] {
            for (colour, blocks) in [(false, false), (false, true), (true, true)] {
                let lines = lines(Style { width, colour, blocks });
                for line in lines.iter().skip(4).filter(|line| line.starts_with("  ")) {
                    let shown = line.replace(CYAN, "").replace(RESET, "");
                    assert_eq!(shown.chars().count(), width, "{shown}");
                    assert_eq!(shown != *line, colour, "{line:?}");
                }
            }
        }
    }

    #[test]
    fn without_room_for_bars_the_numbers_stay() {
        let lines = lines(Style { width: 40, colour: true, blocks: true });
        assert_eq!(lines[4], "  vaes512  4096 encrypt    8.00  ( 90 %)");
    }

    #[test]
    fn as_json_it_is_exactly_the_list_of_rows() {
        let chart = Chart::new(vec![row("aesni", 2, 1.5)], Style::PLAIN);
        let expected =
            r#"[{"engine":"aesni","unit":4096,"direction":"encrypt","threads":2,"gbps":1.5,"ceiling_ratio":0.9}]"#;
        assert_eq!(serde_json::to_string(&chart).unwrap(), expected);
    }
}
