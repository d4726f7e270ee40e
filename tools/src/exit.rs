//! The exit codes: one table that the program, its help and its man page share.

use std::process::ExitCode;

use serde::Serialize;

/// How a run ended. The number is what the shell sees; the name is the `kind` of a JSON error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub(crate) enum Exit {
    /// It worked.
    Success = 0,
    /// An operation failed.
    Failed = 1,
    /// The command line was wrong.
    Usage = 2,
    /// Something is there already.
    Refused = 3,
    /// The key or the header is not genuine.
    Unauthentic = 4,
    /// The header cannot be used.
    NotAVolume = 5,
    /// Somebody else has it.
    InUse = 6,
    /// No key here opens it.
    KeyMissing = 7,
}

impl Exit {
    /// Every code, in order.
    pub(crate) const ALL: [Self; 8] = [
        Self::Success,
        Self::Failed,
        Self::Usage,
        Self::Refused,
        Self::Unauthentic,
        Self::NotAVolume,
        Self::InUse,
        Self::KeyMissing,
    ];

    /// The one with this number; a number of no other is a failure.
    pub(crate) fn of_code(code: u8) -> Self {
        Self::ALL.into_iter().find(|exit| exit.code() == code).unwrap_or(Self::Failed)
    }

    /// The number that the shell sees.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    /// What the code means, as help and man page say it.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed => "an operation failed: an I/O error, a full disk, a permission that is missing",
            Self::Usage => "the command line is wrong, or asks for something the volume contradicts",
            Self::Refused => "refused: something is there that would be overwritten, or the action was not confirmed",
            Self::Unauthentic => "wrong passphrase or key, or the header was tampered with",
            Self::NotAVolume => "not a LUKS2 volume, or a header that is damaged or not supported",
            Self::InUse => "in use: the volume is being served or changed by another process",
            Self::KeyMissing => {
                "no key here opens it: not adopted yet, or its master key is not in this state directory"
            }
        }
    }

    /// The table as text, one line per code.
    pub(crate) fn table() -> String {
        Self::ALL.iter().map(|exit| format!("  {}  {}\n", exit.code(), exit.meaning())).collect()
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
