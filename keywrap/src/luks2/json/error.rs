//! What can be wrong with the JSON metadata: one name for each violation, and the path of the field.

/// JSON metadata that this program refuses, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", if path.is_empty() { "JSON area" } else { path })]
pub struct BadMetadata {
    /// Path of the field, such as `keyslots.0.area.offset`; empty for the whole document.
    pub path: String,
    /// What is wrong with it.
    pub problem: Problem,
}

impl BadMetadata {
    pub(super) fn new(path: impl Into<String>, problem: Problem) -> Self {
        Self { path: path.into(), problem }
    }
}

/// One violation of the LUKS2 specification's section 3, or of a limit documented in `docs/format/luks2.md`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says what it means; fields are named there")]
pub enum Problem {
    // The text.
    #[error("the text has no terminating zero byte")]
    NotTerminated,
    #[error("byte {at} after the end of the text is not zero")]
    AfterEnd { at: usize },
    #[error("byte {at} is not UTF-8")]
    NotUtf8 { at: usize },
    #[error("more than {limit} objects and arrays inside one another")]
    TooDeep { limit: usize },
    #[error("not JSON: {detail}")]
    Syntax { detail: String },
    #[error("the text is {len} bytes long, the JSON area holds {limit}; remove a keyslot or token")]
    TooLong { len: usize, limit: u64 },

    // One field.
    #[error("missing")]
    Missing,
    #[error("appears twice")]
    Duplicate,
    #[error("not an object")]
    NotAnObject,
    #[error("not a string")]
    NotAString,
    #[error("not an array of strings")]
    NotStrings,
    #[error("not a number from 0 to 4294967295")]
    NotUint32,
    #[error("not a string of decimal digits that fits 64 bits")]
    NotUint64,
    #[error("not base64")]
    NotBase64,
    #[error("not a number from 0 to {limit} without leading zeros")]
    BadId { limit: u32 },
    #[error("{value} is outside {min} to {max}")]
    OutOfRange { value: u64, min: u64, max: u64 },
    #[error("{value} is not a multiple of {of}")]
    Unaligned { value: u64, of: u64 },
    #[error("the bytes are {len} long, 1 to {max} are allowed")]
    ByteCount { len: usize, max: usize },
    #[error("{value} is not one of 512, 1024, 2048, 4096")]
    SectorSize { value: u32 },
    #[error("{kind:?} is unknown")]
    UnknownType { kind: String },
    #[error("offset and size add up to more than 64 bits")]
    Overflow,

    // Fields that must agree with one another.
    #[error("{stated} is stated, but the header's size makes it {actual}")]
    JsonSize { stated: u64, actual: u64 },
    #[error("the keyslots end at byte {end}, after the data begins at {data}")]
    KeyslotsOverData { end: u64, data: u64 },
    #[error("the area begins at byte {offset}, before both header copies end at {end}")]
    AreaInHeaders { offset: u64, end: u64 },
    #[error("the area ends at byte {end}, the space for keyslots at {limit}")]
    AreaOutside { end: u64, limit: u64 },
    #[error("the area overlaps that of keyslot {other}")]
    AreaOverlap { other: u32 },
    #[error("an area of {size} bytes does not hold {needed} bytes of split key")]
    AreaTooSmall { size: u64, needed: u64 },
    #[error("keyslot {id:?} does not exist")]
    NoSuchKeyslot { id: String },
    #[error("segment {id:?} does not exist")]
    NoSuchSegment { id: String },
    #[error("{id:?} is listed twice")]
    ListedTwice { id: String },
    #[error("segment {expected} is missing: segments are numbered from 0 without a gap")]
    SegmentGap { expected: u32 },
    #[error("the segment overlaps segment {other}")]
    SegmentOverlap { other: u32 },
}
