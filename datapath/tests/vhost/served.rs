//! A volume on a real file, served.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;

use datapath::backend::file::FileBackend;
use datapath::disk::BlockingDisk;
use datapath::export::vhost::{Export, Serving};
use datapath::ring::Kind;
use datapath::volume::{DiskOptions, Volume};
use datapath::worker::Workers;
use keywrap::geometry::{ByteLen, DataSegment, SectorSize};
use keywrap::keys::VolumeKey;
use keywrap::secret::SecretBytes;
use tempfile::TempDir;

/// What the volumes of these tests have, in bytes.
pub(crate) const LEN: u64 = 48 << 20;
/// Where the data starts in their files.
const OFFSET: u64 = 1 << 20;

/// A server. Dropped, it ends in order.
pub(crate) struct Served {
    serving: Option<Serving>,
    workers: Option<Workers>,
    pub(crate) volume: Arc<Volume>,
    folder: PathBuf,
    _temporary: Option<TempDir>,
}

impl Served {
    /// Of blocks of 4096 bytes, on the ring that this machine has, without limits.
    pub(crate) fn new() -> Self {
        let options = DiskOptions { discards: true, ..DiskOptions::default() };
        Self::with(Kind::Uring, SectorSize::B4096, options)
    }

    pub(crate) fn with(kind: Kind, sector_size: SectorSize, options: DiskOptions) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut served = Self::at(dir.path().to_path_buf(), kind, sector_size, options);
        served._temporary = Some(dir);
        served
    }

    /// In a folder where the volume may be already.
    pub(crate) fn at(folder: PathBuf, kind: Kind, sector_size: SectorSize, options: DiskOptions) -> Self {
        let path = folder.join("volume");
        let file = std::fs::File::options().read(true).write(true).create(true).truncate(false).open(path).unwrap();
        // Longer than the volume, which may grow.
        file.set_len(OFFSET + 2 * LEN).unwrap();
        let backend = FileBackend::new(file, sector_size, true).unwrap();
        let key = VolumeKey::new(SecretBytes::copy_from(&(0..64).collect::<Vec<u8>>())).unwrap();
        let segment = DataSegment { offset: OFFSET, len: ByteLen(LEN), sector_size, iv_tweak: 0 };
        let volume = Arc::new(Volume::open(Box::new(backend), &key, segment, options).unwrap());
        let workers = Workers::start(2, kind, &[Arc::clone(&volume)]).unwrap();
        let mut served = Self { serving: None, workers: Some(workers), volume, folder, _temporary: None };
        served.serve();
        served
    }

    /// Ends the export, not its workers, and starts it again at the same socket.
    pub(crate) fn serve_again(&mut self) {
        self.serving = None;
        self.serve();
    }

    fn serve(&mut self) {
        let export = Export::bind(&self.socket()).unwrap();
        let workers = self.workers.as_ref().unwrap();
        self.serving = Some(export.serve(workers, 0, Arc::clone(&self.volume), "a serial of more than 20").unwrap());
    }

    /// Ends the workers first, as a server does that was asked to end, then the export.
    pub(crate) fn end(mut self) {
        let workers = self.workers.take().unwrap();
        workers.stop();
        workers.join().unwrap();
        self.serving = None;
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// A connection that says this.
    pub(crate) fn say(&self, bytes: &[u8]) -> UnixStream {
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    }

    /// The volume's content.
    pub(crate) fn content(&self) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(LEN).unwrap()];
        for (at, part) in (0_u64..).step_by(1 << 20).zip(bytes.chunks_mut(1 << 20)) {
            self.volume.read_at(part, at).unwrap();
        }
        bytes
    }

    /// Makes the volume read as zeroes everywhere: its file holds nothing yet, which decrypts to noise.
    pub(crate) fn clear(&self) {
        self.volume.write_zeroes(0, LEN, false).unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.serving = None;
        self.workers = None;
    }
}
