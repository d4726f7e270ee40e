//! One call, as words of a command line: `aesni encrypt 4096 copied 32768`.

use std::fmt;

use datapath::cipher::Direction;
use keywrap::geometry::SectorSize;

use super::subject::Subject;

/// One call of a cipher, always with the same tweak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Whose code runs.
    pub subject: Subject,
    /// Which way.
    pub direction: Direction,
    /// How the bytes are cut and where they go.
    pub shape: Shape,
    /// Length in bytes.
    pub len: usize,
}

/// How the bytes of a job are cut into data units, and where they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Data units of this size, over themselves.
    InPlace(SectorSize),
    /// Data units of this size, from one buffer to another.
    Copied(SectorSize),
    /// All bytes are one data unit, over itself, with ciphertext stealing where it ends in a partial block.
    OneUnit,
}

impl Job {
    /// Nothing at all, between two stops.
    pub const NOTHING: Self = Self {
        subject: Subject::Nothing,
        direction: Direction::Encrypt,
        shape: Shape::InPlace(SectorSize::B512),
        len: 512,
    };

    /// A job from the five words that its [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(words: [&str; 5]) -> Option<Self> {
        let [subject, direction, unit, place, len] = words;
        let (subject, direction) = (Subject::parse(subject)?, parse_direction(direction)?);
        Some(Self { subject, direction, shape: Shape::parse(unit, place)?, len: len.parse().ok()? })
    }
}

impl Shape {
    fn parse(unit: &str, place: &str) -> Option<Self> {
        let size = || SectorSize::try_from(unit.parse::<u32>().ok()?).ok();
        match (unit, place) {
            ("one", "in-place") => Some(Self::OneUnit),
            (_, "in-place") => size().map(Self::InPlace),
            (_, "copied") => size().map(Self::Copied),
            _ => None,
        }
    }
}

fn parse_direction(word: &str) -> Option<Direction> {
    [Direction::Encrypt, Direction::Decrypt].into_iter().find(|direction| direction_word(*direction) == word)
}

const fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Encrypt => "encrypt",
        Direction::Decrypt => "decrypt",
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InPlace(unit) => write!(f, "{} in-place", unit.bytes()),
            Self::Copied(unit) => write!(f, "{} copied", unit.bytes()),
            Self::OneUnit => f.write_str("one in-place"),
        }
    }
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.subject, direction_word(self.direction), self.shape, self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<Job> {
        let words: Vec<&str> = line.split(' ').collect();
        Job::parse(words.try_into().ok()?)
    }

    #[test]
    fn a_job_is_read_back_as_it_was_written() {
        for shape in [Shape::InPlace(SectorSize::B512), Shape::Copied(SectorSize::B4096), Shape::OneUnit] {
            for direction in [Direction::Encrypt, Direction::Decrypt] {
                let job = Job { direction, shape, ..Job::NOTHING };
                assert_eq!(parse(&job.to_string()), Some(job));
            }
        }
    }

    #[test]
    fn other_words_are_no_job() {
        for line in ["nothing encrypt 513 in-place 512", "nothing encrypt one copied 512", "nothing up 512 copied 512"]
        {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
