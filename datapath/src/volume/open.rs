//! How a volume comes to be, and how its length changes.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use keywrap::geometry::{ByteLen, DataSegment, SectorSize};
use keywrap::keys::VolumeKey;

use super::Volume;
use super::claims::Claims;
use super::coding::Coding;
use super::stats::Stats;
use crate::backend::Backend;
use crate::cipher::Cipher;
use crate::cipher::dispatch::{self, Engine, NoEngine};
use crate::cipher::selftest::{self, SelfTestFailed};

/// How a volume is to be served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskOptions {
    /// Refuse writes, zeroes and trims.
    pub read_only: bool,
    /// Pass trims down. It tells whoever sees the backing which sectors are unused (docs/format/data-segment.md).
    pub discards: bool,
    /// Refuse what is not whole sectors, where it would be served by a read-modify-write otherwise.
    pub strict_alignment: bool,
    /// The cipher engine; `None` lets [`dispatch::choose`] choose.
    pub engine: Option<Engine>,
}

/// Why a volume cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The segment does not lie inside the backing.
    #[error(
        "the data segment ends at byte {end} but the backing has only {len}; it was truncated, or is not this volume's"
    )]
    BackingTooShort {
        /// First byte after the segment.
        end: u64,
        /// Length of the backing in bytes.
        len: u64,
    },
    /// The segment is not made of whole sectors, or does not fit 64 bits.
    #[error("a data segment of {len} bytes at {offset} is not whole sectors of {sector} bytes")]
    Segment {
        /// First byte of the segment.
        offset: u64,
        /// Its length in bytes.
        len: u64,
        /// Sector size in bytes.
        sector: u32,
    },
    /// The engine asked for does not exist, or not on this machine.
    #[error(transparent)]
    Engine(#[from] NoEngine),
    /// The engine does not compute AES-XTS on this machine.
    #[error(transparent)]
    SelfTest(#[from] SelfTestFailed),
    /// The backing does not say how long it is.
    #[error("the backing's length cannot be read: {0}")]
    Backing(io::Error),
}

/// Why a volume cannot have another length.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResizeError {
    /// It would not fit the backing, or not be whole sectors.
    #[error(transparent)]
    Segment(#[from] OpenError),
    /// A volume that is in use only grows.
    #[error("the volume has {now} bytes and is in use; it cannot shrink to {asked}: stop serving it first")]
    Shrinks {
        /// Length in bytes, now.
        now: u64,
        /// Length that was asked for.
        asked: u64,
    },
}

impl Volume {
    /// Serves the `segment` of `backend` under `key`, once the cipher engine has passed its self-test.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(
        backend: Box<dyn Backend>,
        key: &VolumeKey,
        segment: DataSegment,
        options: DiskOptions,
    ) -> Result<Self, OpenError> {
        let engine = match options.engine {
            Some(engine) => engine,
            None => dispatch::choose(None)?.engine,
        };
        selftest::run_once(engine)?;
        Self::build(backend, Coding::Cipher(Cipher::new(key, engine)), segment, options)
    }

    /// The whole of `backend` as it is, not encrypted: what remains of the path without its cipher, to measure what the
    /// cipher costs.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn plain(backend: Box<dyn Backend>, sector_size: SectorSize, options: DiskOptions) -> Result<Self, OpenError> {
        let len = backend.len().map_err(OpenError::Backing)? & !(u64::from(sector_size.bytes()) - 1);
        let segment = DataSegment { offset: 0, len: ByteLen(len), sector_size, iv_tweak: 0 };
        Self::build(backend, Coding::Plain, segment, options)
    }

    fn build(
        backend: Box<dyn Backend>,
        coding: Coding,
        segment: DataSegment,
        options: DiskOptions,
    ) -> Result<Self, OpenError> {
        check_segment(&segment, backend.len().map_err(OpenError::Backing)?)?;
        let stats = Stats::default();
        let calls = stats.queue();
        Ok(Self {
            backend,
            coding,
            segment,
            len: AtomicU64::new(segment.len.0),
            options,
            claims: Claims::default(),
            latched: AtomicBool::new(false),
            stats,
            calls,
        })
    }

    /// Gives the volume another length, while it is served: longer, and inside its backing.
    ///
    /// # Errors
    /// See [`ResizeError`]; the length is then what it was.
    pub fn resize(&self, len: ByteLen) -> Result<(), ResizeError> {
        let now = self.len.load(Ordering::Acquire);
        if len.0 < now {
            return Err(ResizeError::Shrinks { now, asked: len.0 });
        }
        let backing = self.backend.len().map_err(OpenError::Backing)?;
        check_segment(&DataSegment { len, ..self.segment }, backing)?;
        self.len.fetch_max(len.0, Ordering::AcqRel);
        Ok(())
    }
}

impl Volume {
    /// Grows to what the backing now has room for; the new length.
    ///
    /// # Errors
    /// See [`ResizeError`]: the backing has become shorter, or does not say how long it is.
    pub fn grow_to_backing(&self) -> Result<ByteLen, ResizeError> {
        let backing = self.backend.len().map_err(OpenError::Backing)?;
        let sector = u64::from(self.segment.sector_size.bytes());
        let room = backing.saturating_sub(self.segment.offset);
        let len = ByteLen(room - room % sector);
        self.resize(len)?;
        Ok(len)
    }
}

fn check_segment(segment: &DataSegment, backing: u64) -> Result<(), OpenError> {
    let (offset, ByteLen(len), sector) = (segment.offset, segment.len, segment.sector_size.bytes());
    let odd = OpenError::Segment { offset, len, sector };
    if !len.is_multiple_of(u64::from(sector)) {
        return Err(odd);
    }
    match offset.checked_add(len) {
        None => Err(odd),
        Some(end) if end > backing => Err(OpenError::BackingTooShort { end, len: backing }),
        Some(_) => Ok(()),
    }
}
