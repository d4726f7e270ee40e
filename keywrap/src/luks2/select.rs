//! From the two copies of the metadata to the one that counts: a labelled table, one row for each case.
//!
//! The same table with the reason for each row is in `docs/format/header-writes.md`.

use super::binary::{BINARY_LEN, BadBinary, CopyId, HeaderSize, RawHeader, UuidText};
use super::header::{BadCopy, CheckedHeader};
use crate::medium::Medium;

/// What was found in the place of one copy.
pub type Copy = Result<CheckedHeader, BadCopy>;

/// Both copies as they were found on a medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copies {
    /// The one at byte 0.
    pub primary: Copy,
    /// The one after it, searched at every legal place when the primary cannot tell.
    pub secondary: Copy,
}

/// A row of the recovery table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Row {
    /// Both copies are valid and say the same.
    Twins,
    /// Both are valid, the primary has the higher sequence number: a change was cut between the two writes.
    SecondaryStale,
    /// Both are valid, the secondary has the higher sequence number: the medium lost a primary write.
    PrimaryStale,
    /// Both are valid with equal sequence numbers and different content: two writers did not lock.
    Diverged,
    /// Only the primary is valid.
    SecondaryLost,
    /// Only the secondary is valid; the primary still has its magic, so a write to it was cut or it was damaged.
    PrimaryDamaged,
    /// Only the secondary is valid and the primary's magic is gone: something else may live there now.
    PrimaryOverwritten,
}

impl Row {
    /// The copy that counts.
    #[must_use]
    pub const fn winner(self) -> CopyId {
        match self {
            Self::Twins | Self::SecondaryStale | Self::Diverged | Self::SecondaryLost => CopyId::Primary,
            Self::PrimaryStale | Self::PrimaryDamaged | Self::PrimaryOverwritten => CopyId::Secondary,
        }
    }

    /// The copy that is to be written again from the winner before anything is changed.
    #[must_use]
    pub const fn repair(self) -> Option<CopyId> {
        match self {
            Self::Twins => None,
            Self::SecondaryStale | Self::Diverged | Self::SecondaryLost => Some(CopyId::Secondary),
            Self::PrimaryStale | Self::PrimaryDamaged | Self::PrimaryOverwritten => Some(CopyId::Primary),
        }
    }

    /// Whether the repair may be done without being asked for: not where it could destroy something else.
    #[must_use]
    pub const fn repairs_itself(self) -> bool {
        !matches!(self, Self::PrimaryOverwritten)
    }
}

/// A row of the recovery table that ends in a refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither copy has its magic.
    #[error("this is not a LUKS volume: there is no LUKS header at byte 0, nor a second copy at any legal place")]
    NotLuks,
    /// The primary belongs to another version of LUKS.
    #[error("the primary header cannot be used: {0}")]
    OtherVersion(BadBinary),
    /// No copy is valid, but at least one was there.
    #[error("both headers are damaged (primary: {primary}; secondary: {secondary}); restore a header backup")]
    BothDamaged {
        /// What is wrong with the primary.
        primary: BadCopy,
        /// What is wrong with the secondary.
        secondary: BadCopy,
    },
    /// Both copies are valid, but of different volumes.
    #[error("the two headers belong to different volumes (primary {primary}, secondary {secondary}); restore a backup")]
    Strangers {
        /// The primary's UUID.
        primary: UuidText,
        /// The secondary's UUID.
        secondary: UuidText,
    },
}

impl Copies {
    /// Reads both copies. Nothing is decided and nothing is written; a failed read is a [`BadCopy::Read`].
    #[must_use]
    pub fn read(medium: &dyn Medium) -> Self {
        let primary = read_copy(medium, CopyId::Primary, 0);
        let secondary = match &primary {
            Ok(header) => read_copy(medium, CopyId::Secondary, header.size.bytes()),
            Err(_) => search_secondary(medium),
        };
        Self { primary, secondary }
    }

    /// Applies the table.
    ///
    /// # Errors
    /// When no row lets the volume be opened.
    pub fn decide(&self) -> Result<Row, Refusal> {
        match (&self.primary, &self.secondary) {
            (Ok(primary), Ok(secondary)) => both_valid(primary, secondary),
            (Ok(_), Err(_)) => Ok(Row::SecondaryLost),
            (Err(BadCopy::Binary(bad @ (BadBinary::Luks1 | BadBinary::Version(_)))), _) => {
                Err(Refusal::OtherVersion(bad.clone()))
            }
            (Err(BadCopy::Binary(BadBinary::NoMagic)), Ok(_)) => Ok(Row::PrimaryOverwritten),
            (Err(_), Ok(_)) => Ok(Row::PrimaryDamaged),
            (Err(primary), Err(secondary)) if no_header(primary) && no_header(secondary) => Err(Refusal::NotLuks),
            (Err(primary), Err(secondary)) => {
                Err(Refusal::BothDamaged { primary: primary.clone(), secondary: secondary.clone() })
            }
        }
    }

    /// The header that counts, and the row that chose it.
    ///
    /// # Errors
    /// Those of [`Self::decide`].
    pub fn choose(self) -> Result<(CheckedHeader, Row), Refusal> {
        let row = self.decide()?;
        match (row.winner(), self.primary, self.secondary) {
            (CopyId::Primary, Ok(header), _) | (CopyId::Secondary, _, Ok(header)) => Ok((header, row)),
            (_, primary, secondary) => Err(Refusal::BothDamaged {
                primary: primary.err().unwrap_or(BadCopy::Checksum),
                secondary: secondary.err().unwrap_or(BadCopy::Checksum),
            }),
        }
    }
}

fn both_valid(primary: &CheckedHeader, secondary: &CheckedHeader) -> Result<Row, Refusal> {
    if primary.uuid != secondary.uuid {
        return Err(Refusal::Strangers { primary: primary.uuid, secondary: secondary.uuid });
    }
    Ok(match primary.seqid.cmp(&secondary.seqid) {
        std::cmp::Ordering::Greater => Row::SecondaryStale,
        std::cmp::Ordering::Less => Row::PrimaryStale,
        std::cmp::Ordering::Equal if primary == secondary => Row::Twins,
        std::cmp::Ordering::Equal => Row::Diverged,
    })
}

/// Whether nothing speaks for a header having been there.
fn no_header(bad: &BadCopy) -> bool {
    matches!(bad, BadCopy::Binary(BadBinary::NoMagic))
}

fn read_copy(medium: &dyn Medium, id: CopyId, offset: u64) -> Copy {
    let len = medium.len().map_err(|error| BadCopy::Read(error.kind()))?;
    if len <= offset {
        return Err(BadBinary::NoMagic.into());
    }
    let mut binary = [0; BINARY_LEN];
    let present = usize::try_from(len - offset).unwrap_or(BINARY_LEN).min(BINARY_LEN);
    read(medium, &mut binary[..present], offset)?;
    let raw = RawHeader::parse(&binary, id, offset);
    if raw != Err(BadBinary::NoMagic) && present < BINARY_LEN {
        return Err(BadCopy::Truncated { medium: len, needed: offset + BINARY_LEN as u64 });
    }
    let raw = raw?;
    let needed = offset + raw.size.bytes();
    if len < needed {
        return Err(BadCopy::Truncated { medium: len, needed });
    }
    let mut bytes = vec![0; raw.size.len()];
    read(medium, &mut bytes, offset)?;
    CheckedHeader::parse(raw, &bytes)
}

fn read(medium: &dyn Medium, buf: &mut [u8], offset: u64) -> Result<(), BadCopy> {
    medium.read_exact_at(buf, offset).map_err(|error| BadCopy::Read(error.kind()))
}

/// Looks at every legal place, lowest first, as cryptsetup does. Without a valid copy, the first damaged one tells.
fn search_secondary(medium: &dyn Medium) -> Copy {
    let mut worst = BadCopy::Binary(BadBinary::NoMagic);
    for size in HeaderSize::ALL {
        match read_copy(medium, CopyId::Secondary, size.bytes()) {
            Ok(header) => return Ok(header),
            Err(bad) if no_header(&worst) => worst = bad,
            Err(_) => {}
        }
    }
    Err(worst)
}
