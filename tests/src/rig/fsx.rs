//! A file under random operations beside a model in memory, after the idea of `fsx`, the file system exerciser: what the
//! file says must be what the model says, always.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};

/// The longest that the file gets, in bytes.
const MAX_LEN: u64 = 4 << 20;
/// The longest single operation, in bytes.
const MAX_STEP: u64 = 128 << 10;

/// A file, its model and the random numbers.
pub struct Fsx {
    path: PathBuf,
    file: File,
    model: Vec<u8>,
    state: u64,
}

impl Fsx {
    /// An empty file at `path`.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new(path: &Path, seed: u64) -> Self {
        let file = open(path, true);
        Self { path: path.to_owned(), file, model: Vec::new(), state: seed }
    }

    /// Carries out `count` random operations.
    ///
    /// # Panics
    /// When one fails, or the file is not what the model says.
    pub fn run(&mut self, count: u32) {
        for _ in 0..count {
            let (offset, len) = (self.below(MAX_LEN - MAX_STEP), 1 + self.below(MAX_STEP));
            match self.below(8) {
                0 | 1 => self.write(offset, len),
                2 | 3 => self.read(offset, len),
                4 => self.truncate(offset),
                5 => self.zero(offset, len, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE),
                6 => self.zero(offset, len, FallocateFlags::ZERO_RANGE | FallocateFlags::KEEP_SIZE),
                _ => self.reopen(),
            }
        }
        self.compare();
    }

    /// Opens the file again, wherever its filesystem has been meanwhile, and compares all of it.
    ///
    /// # Panics
    /// When it has changed.
    pub fn compare(&mut self) {
        self.file = open(&self.path, false);
        let found = std::fs::read(&self.path).expect("the file can be read");
        assert_eq!(found.len(), self.model.len(), "{} has another length", self.path.display());
        if let Some(at) = found.iter().zip(&self.model).position(|(found, model)| found != model) {
            panic!("{} differs at byte {at}", self.path.display());
        }
    }

    /// Closes the file, so that its filesystem can be unmounted.
    ///
    /// # Panics
    /// When there is no `/dev/null`.
    pub fn close(&mut self) {
        self.file.sync_all().expect("the file can be synced");
        self.file = open(Path::new("/dev/null"), false);
    }

    fn write(&mut self, offset: u64, len: u64) {
        let bytes = super::pattern(self.next(), index(len));
        self.file.write_all_at(&bytes, offset).expect("the file can be written");
        let end = index(offset + len);
        if self.model.len() < end {
            self.model.resize(end, 0);
        }
        self.model[index(offset)..end].copy_from_slice(&bytes);
    }

    fn read(&self, offset: u64, len: u64) {
        let mut bytes = vec![0; index(len)];
        let mut filled = 0;
        loop {
            let count = self.file.read_at(&mut bytes[filled..], offset + filled as u64).expect("the file can be read");
            filled += count;
            if count == 0 {
                break;
            }
        }
        let start = index(offset).min(self.model.len());
        let expected = &self.model[start..index(offset + len).min(self.model.len())];
        assert!(bytes[..filled] == *expected, "{} differs in {len} bytes at {offset}", self.path.display());
    }

    fn truncate(&mut self, len: u64) {
        self.file.set_len(len).expect("the file can be truncated");
        self.model.resize(index(len), 0);
    }

    fn zero(&mut self, offset: u64, len: u64, mode: FallocateFlags) {
        fallocate(&self.file, mode, offset, len).expect("the filesystem can punch and zero");
        let (start, end) = (index(offset).min(self.model.len()), index(offset + len).min(self.model.len()));
        self.model[start..end].fill(0);
    }

    fn reopen(&mut self) {
        self.file.sync_data().expect("the file can be synced");
        self.file = open(&self.path, false);
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.state >> 16
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

fn index(value: u64) -> usize {
    usize::try_from(value).expect("the file is small")
}

fn open(path: &Path, create: bool) -> File {
    let file = OpenOptions::new().read(true).write(true).create_new(create).open(path);
    file.unwrap_or_else(|error| panic!("cannot open {}: {error}", path.display()))
}
