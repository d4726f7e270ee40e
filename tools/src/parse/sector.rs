//! Sector sizes and data units in bytes.

use keywrap::geometry::SectorSize;

/// Parses one of the sizes that LUKS2 knows.
///
/// # Errors
/// When the text is no number, or another number; said for a person.
pub(crate) fn sector_size(text: &str) -> Result<SectorSize, String> {
    let bytes: u32 = text.parse().map_err(|_| "expected a number of bytes".to_owned())?;
    SectorSize::try_from(bytes).map_err(|error| error.to_string())
}
