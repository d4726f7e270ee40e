//! Whose code a job runs.

use std::fmt;

use datapath::cipher::dispatch::EngineName;

/// Whose code a job runs: an engine, nothing, or code that leaks on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// One engine of the cipher.
    Engine(EngineName),
    /// No code: what remains is the cost of starting and stopping.
    Nothing,
    /// Code that branches on a byte of the plaintext. A check that does not see it sees nothing.
    BranchLeak,
    /// Code that takes a byte of the plaintext as the index of a table.
    TableLeak,
}

impl Subject {
    const LEAKS: [Self; 2] = [Self::BranchLeak, Self::TableLeak];

    /// The subject of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let engines = EngineName::ALL.into_iter().map(Self::Engine);
        engines.chain([Self::Nothing]).chain(Self::LEAKS).find(|subject| subject.as_str() == name)
    }

    /// The name, as the command line takes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Engine(name) => name.as_str(),
            Self::Nothing => "nothing",
            Self::BranchLeak => "branch-leak",
            Self::TableLeak => "table-leak",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_is_found_by_its_name() {
        let engines = EngineName::ALL.map(Subject::Engine);
        for subject in engines.into_iter().chain([Subject::Nothing]).chain(Subject::LEAKS) {
            assert_eq!(Subject::parse(subject.as_str()), Some(subject));
        }
        assert_eq!(Subject::parse("vaes9000"), None);
    }
}
