//! Sizes as coreutils writes them: `4096`, `512M`, `1G`, `1GiB` (powers of 1024), `1GB` (powers of 1000).

use keywrap::geometry::ByteLen;

/// Why a text is not a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadSize {
    /// No digits in front.
    #[error("a size starts with a whole number, as in 512M or 1G")]
    NoNumber,
    /// An unknown unit.
    #[error("unknown unit: use K, M, G, T, P (1024), KiB … PiB (1024), or KB … PB (1000)")]
    Unit,
    /// Nothing can be stored in it.
    #[error("a size of zero makes no volume")]
    Zero,
    /// More than a file offset can express.
    #[error("larger than 8 EiB, which no file or device can hold")]
    TooLarge,
}

/// Parses a size in bytes.
///
/// # Errors
/// When the text is no number with a known unit, is zero, or exceeds 2^63 − 1 bytes.
pub(crate) fn size(text: &str) -> Result<ByteLen, BadSize> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(BadSize::NoNumber);
    }
    let number: u64 = number.parse().map_err(|_| BadSize::TooLarge)?;
    let bytes = number.checked_mul(scale(unit)?).filter(|bytes| i64::try_from(*bytes).is_ok());
    match bytes.ok_or(BadSize::TooLarge)? {
        0 => Err(BadSize::Zero),
        bytes => Ok(ByteLen(bytes)),
    }
}

fn scale(unit: &str) -> Result<u64, BadSize> {
    let unit = unit.trim_start().to_ascii_uppercase();
    let (prefix, base): (&str, u64) = match unit.strip_suffix("IB") {
        Some(prefix) if !prefix.is_empty() => (prefix, 1024),
        _ => match unit.strip_suffix('B') {
            Some(prefix) => (prefix, 1000),
            None => (unit.as_str(), 1024),
        },
    };
    let power = match prefix {
        "" => 0,
        "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        "P" => 5,
        _ => return Err(BadSize::Unit),
    };
    Ok(base.pow(power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_coreutils() {
        for (text, bytes) in [
            ("4096", 4096),
            ("4096B", 4096),
            ("1k", 1024),
            ("1K", 1024),
            ("1KB", 1000),
            ("1KiB", 1024),
            ("512M", 512 << 20),
            ("1G", 1 << 30),
            ("1 GiB", 1 << 30),
            ("1GB", 1_000_000_000),
            ("2T", 2 << 40),
            ("8191P", 8191 << 50),
        ] {
            assert_eq!(size(text), Ok(ByteLen(bytes)), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for (text, error) in [
            ("", BadSize::NoNumber),
            ("G", BadSize::NoNumber),
            ("-1", BadSize::NoNumber),
            ("1.5G", BadSize::Unit),
            ("1X", BadSize::Unit),
            ("1iB", BadSize::Unit),
            ("0", BadSize::Zero),
            ("0G", BadSize::Zero),
            ("8192P", BadSize::TooLarge),
            ("99999999999999999999", BadSize::TooLarge),
        ] {
            assert_eq!(size(text), Err(error), "{text}");
        }
    }
}
