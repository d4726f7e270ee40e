//! A device from its making, or its taking over, to its removal.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::abi::{ANY_DEVICE, Info, Params, SECTOR, feature};
use super::driver::Driver;
use super::error::UblkError;
use super::gate::Gate;
use super::queue::{Copying, Plan, Queue};
use super::users::Users;
use crate::buf::arena::MAX_CHUNK;
use crate::disk::Geometry;
use crate::ring::Kind;
use crate::ring::ublk::Descriptors;
use crate::volume::Volume;
use crate::worker::{Errand, Port, Workers};

/// Requests that a queue holds.
const DEPTH: u16 = 128;
/// The same, and the longest transfer, where every request has its chunk: a worker has 128 of this length.
const DEPTH_OF_CHUNKS: u16 = 32;
const SHORT_TRANSFER: u32 = 64 << 10;
/// The longest discard.
const MAX_DISCARD: u64 = 1 << 30;
/// The longest writing of zeroes: they are encrypted and written, which takes its time.
const MAX_ZEROES: u64 = 16 << 20;
/// What devices prefer, as a power of two.
const PAGE_SHIFT: u8 = 12;
/// How long a node may take to appear and to get its owner: where udev does that, it is busy at times.
const NODE: Duration = Duration::from_secs(10);
/// How long queues may take to notice that their device is stopped.
const QUEUES_END: Duration = Duration::from_secs(10);

/// Whether this system has what [`Device::start`] needs, as far as that is known before.
///
/// # Errors
/// What it lacks.
pub fn check() -> Result<(), UblkError> {
    match Kind::choose() {
        (Kind::Poll, _) => Err(UblkError::NoUring),
        (Kind::Uring, _) => Driver::open().map(drop),
    }
}

/// Whether the ublk device with this node carries the volume, or a copy of it; its server may be dead.
#[must_use]
pub fn carries(node: &Path, uuid: &[u8; 16]) -> bool {
    number_of(node).zip(Driver::open().ok()).is_some_and(|(number, mut driver)| driver.carries(number, identity(uuid)))
}

/// What a device is made from.
pub struct Config {
    /// The volume that it shows.
    pub volume: Arc<Volume>,
    /// The volume's position among the workers' disks.
    pub disk: usize,
    /// The volume's name for good: by it, a later server knows a device that an earlier one left behind.
    pub uuid: [u8; 16],
}

/// A block device that is served. Dropped without [`Device::remove`], it stays, and waits for another server.
pub struct Device {
    driver: Driver,
    info: Info,
    gate: Arc<Gate>,
    volume: Arc<Volume>,
    recovered: bool,
}

impl Device {
    /// Makes the volume's device, or takes over the one that an earlier server of the volume left behind. It has one
    /// queue for each of the workers, at most one for each processor.
    ///
    /// # Errors
    /// See [`UblkError`]. Nothing remains of a new device then; one that was to be taken over still waits.
    pub fn start(workers: &Workers, config: Config) -> Result<Self, UblkError> {
        let mut driver = Driver::open()?;
        let identity = identity(&config.uuid);
        let can_recover = driver.wanted() & feature::USER_RECOVERY != 0;
        match can_recover.then(|| driver.find_orphan(identity)).flatten() {
            Some(orphan) => Self::take_over(driver, orphan, workers, config),
            None => Self::make(driver, identity, workers, config),
        }
    }

    /// The block device's node.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        node(self.info.device)
    }

    /// Whether an earlier server made it.
    #[must_use]
    pub fn is_recovered(&self) -> bool {
        self.recovered
    }

    /// How many queues it has.
    #[must_use]
    pub fn queues(&self) -> u16 {
        self.info.queues
    }

    /// Whether it can be given another length while it is used.
    #[must_use]
    pub fn can_resize(&self) -> bool {
        self.info.has(feature::UPDATE_SIZE)
    }

    /// Gives the device the length that the volume has now.
    ///
    /// # Errors
    /// [`UblkError::NoResize`] where the kernel cannot, or its refusal.
    pub fn resize(&mut self) -> Result<(), UblkError> {
        if !self.can_resize() {
            return Err(UblkError::NoResize);
        }
        self.driver.update_size(self.info.device, self.volume.geometry().len.0 / SECTOR)
    }

    /// Who uses the block device.
    #[must_use]
    pub fn users(&self) -> Users {
        Users::of(&self.name())
    }

    /// Removes the device, after what was written is on the medium.
    ///
    /// # Errors
    /// [`UblkError::Busy`] while somebody uses it: it stays as it is. Otherwise the kernel's refusal; no block device
    /// is left then, but perhaps its number is taken.
    pub fn remove(&mut self) -> Result<(), UblkError> {
        let users = self.users();
        if !users.is_empty() {
            return Err(UblkError::Busy { device: self.info.device, users });
        }
        self.flush();
        self.driver.stop(self.info.device)?;
        if !self.gate.is_empty_within(QUEUES_END) {
            tracing::warn!(device = self.info.device, "queues of a stopped ublk device have not ended");
        }
        self.driver.delete(self.info.device)
    }

    fn make(mut driver: Driver, identity: u64, workers: &Workers, config: Config) -> Result<Self, UblkError> {
        let features = driver.wanted();
        let user_copy = features & feature::USER_COPY != 0;
        let (depth, max_transfer) = if user_copy { (DEPTH, whole_chunk()) } else { (DEPTH_OF_CHUNKS, SHORT_TRANSFER) };
        let queues = u16::try_from(workers.inboxes().len()).unwrap_or(u16::MAX);
        let wish = Info { queues, depth, max_transfer, device: ANY_DEVICE, features, identity, ..Info::default() };
        let info = driver.add(&wish)?;
        let params = params(&config.volume.geometry(), info.max_transfer);
        let mut device = Self::new(driver, info, config.volume, false);
        device.begin(workers, config.disk, Some(&params)).inspect_err(|_| device.clean_up())?;
        Ok(device)
    }

    fn take_over(mut driver: Driver, info: Info, workers: &Workers, config: Config) -> Result<Self, UblkError> {
        let geometry = config.volume.geometry();
        let found = driver.params(info.device)?;
        if let Some(what) = difference(&found, &geometry) {
            return Err(UblkError::Differs { device: info.device, what });
        }
        driver.start_recovery(info.device)?;
        let mut device = Self::new(driver, info, config.volume, true);
        device.begin(workers, config.disk, None)?;
        if found.sectors < geometry.len.0 / SECTOR
            && let Err(error) = device.resize()
        {
            tracing::warn!(%error, "the volume has grown, its ublk device keeps its length");
        }
        Ok(device)
    }

    fn new(driver: Driver, info: Info, volume: Arc<Volume>, recovered: bool) -> Self {
        Self { driver, gate: Arc::new(Gate::new(info.queues)), info, volume, recovered }
    }

    /// Starts the queues, then the device: with `params` a new one, else one that waited.
    fn begin(&mut self, workers: &Workers, disk: usize, params: Option<&Params>) -> Result<(), UblkError> {
        let number = self.info.device;
        // Where udev gives the node to its user, every command must wait for that.
        let file = open_node(&format!("/dev/ublkc{number}"), OpenOptions::new().read(true).write(true))?;
        if let Some(params) = params {
            self.driver.set_params(number, params)?;
        }
        let plans = (0..self.info.queues).map(|queue| self.plan(&file, queue, disk));
        let plans: Vec<Plan> = plans.collect::<io::Result<_>>().map_err(UblkError::Queue)?;
        for (plan, inbox) in plans.into_iter().zip(workers.inboxes().iter().cycle()) {
            inbox.put(Errand::Adopt(Box::new(move || Box::new(Queue::new(plan)) as Box<dyn Port>)));
        }
        drop(file);
        let gate = Arc::clone(&self.gate);
        let go_on = move || !gate.has_failed();
        let started = match params {
            Some(_) => self.driver.start(number, go_on),
            None => self.driver.end_recovery(number, go_on),
        };
        started.map_err(|error| self.gate.failure().map_or(error, UblkError::Queue))?;
        open_node(&format!("/dev/{}", self.name()), OpenOptions::new().read(true)).map(drop)
    }

    fn plan(&self, device: &File, queue: u16, disk: usize) -> io::Result<Plan> {
        let Info { depth, max_transfer, .. } = self.info;
        let device = device.try_clone()?;
        let copying = if self.info.has(feature::USER_COPY) { Copying::Server } else { Copying::Kernel };
        let descriptors = Descriptors::map(std::os::fd::AsFd::as_fd(&device), queue, depth)?;
        Ok(Plan { gate: Arc::clone(&self.gate), device, descriptors, queue, depth, disk, copying, max_transfer })
    }

    /// Removes a new device that did not start.
    fn clean_up(&mut self) {
        let outcome = self.driver.stop(self.info.device).and_then(|()| self.driver.delete(self.info.device));
        if let Err(error) = outcome {
            tracing::warn!(%error, device = self.info.device, "a ublk device that did not start remains");
        }
    }

    /// Brings what is in the device's own cache through us to the medium: once it is being stopped, the kernel refuses
    /// to write it.
    fn flush(&self) {
        if let Err(error) = File::open(self.path()).and_then(|device| device.sync_all()) {
            tracing::warn!(%error, "the last flush of the ublk device failed");
        }
    }

    fn name(&self) -> String {
        format!("ublkb{}", self.info.device)
    }
}

fn node(number: u32) -> PathBuf {
    format!("/dev/ublkb{number}").into()
}

fn number_of(node: &Path) -> Option<u32> {
    node.to_str()?.strip_prefix("/dev/ublkb")?.parse().ok()
}

/// What a device carries for its volume: never 0, which is what devices of others carry.
fn identity(uuid: &[u8; 16]) -> u64 {
    let number = u128::from_ne_bytes(*uuid);
    #[expect(clippy::cast_possible_truncation, reason = "the halves of a number")]
    let halves = [number as u64, (number >> 64) as u64];
    (halves[0] ^ halves[1]).max(1)
}

fn params(geometry: &Geometry, max_transfer: u32) -> Params {
    let sectors = |bytes: u64| u32::try_from(bytes / SECTOR).unwrap_or(u32::MAX);
    let logical_shift = shift(geometry);
    Params {
        read_only: geometry.read_only,
        logical_shift,
        physical_shift: logical_shift.max(PAGE_SHIFT),
        max_sectors: sectors(max_transfer.into()),
        sectors: geometry.len.0 / SECTOR,
        max_discard: if geometry.discards { sectors(MAX_DISCARD) } else { 0 },
        max_zeroes: if geometry.read_only { 0 } else { sectors(MAX_ZEROES) },
    }
}

/// What of a waiting device does not fit the volume.
fn difference(found: &Params, geometry: &Geometry) -> Option<String> {
    if found.logical_shift != shift(geometry) {
        return Some(format!("its sectors have {} bytes", 1_u64 << found.logical_shift));
    }
    if found.sectors > geometry.len.0 / SECTOR {
        return Some(format!("it has {} bytes and the volume only {}", found.sectors * SECTOR, geometry.len.0));
    }
    match (found.read_only, geometry.read_only) {
        (false, true) => Some("it can be written to and the volume is read-only".to_owned()),
        (true, false) => Some("it is read-only".to_owned()),
        _ => None,
    }
}

/// The sector size as a power of two.
fn shift(geometry: &Geometry) -> u8 {
    u8::try_from(geometry.sector_size.bytes().trailing_zeros()).unwrap_or(PAGE_SHIFT)
}

/// A whole chunk: then each request fits one.
fn whole_chunk() -> u32 {
    u32::try_from(MAX_CHUNK).unwrap_or(u32::MAX)
}

/// Opens a node as soon as it is there and allowed to this user.
fn open_node(path: &str, how: &OpenOptions) -> Result<File, UblkError> {
    let end = Instant::now() + NODE;
    loop {
        match how.open(path) {
            Ok(file) => return Ok(file),
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied)
                    && Instant::now() < end =>
            {
                thread::sleep(Duration::from_millis(10));
            }
            Err(source) => return Err(UblkError::Node { path: path.to_owned(), source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use keywrap::geometry::{ByteLen, SectorSize};

    use super::*;

    const GEOMETRY: Geometry =
        Geometry { len: ByteLen(1 << 20), sector_size: SectorSize::B512, read_only: false, discards: false };

    #[test]
    fn a_device_is_what_its_volume_is() {
        let ours = params(&GEOMETRY, 1 << 18);
        assert_eq!((ours.logical_shift, ours.physical_shift, ours.sectors, ours.max_sectors), (9, 12, 2048, 512));
        assert_eq!((ours.max_discard, ours.max_zeroes > 0), (0, true));
        assert_eq!(difference(&ours, &GEOMETRY), None);
        let read_only = Geometry { read_only: true, sector_size: SectorSize::B4096, ..GEOMETRY };
        let other = params(&read_only, 1 << 18);
        assert_eq!((other.logical_shift, other.max_zeroes, other.read_only), (12, 0, true));
        assert_eq!(difference(&other, &read_only), None);
    }

    #[test]
    fn a_device_that_waits_must_fit_the_volume() {
        let found = params(&GEOMETRY, 1 << 18);
        let grown = Geometry { len: ByteLen(1 << 21), ..GEOMETRY };
        assert_eq!(difference(&found, &grown), None);
        for other in [
            Geometry { len: ByteLen(1 << 19), ..GEOMETRY },
            Geometry { sector_size: SectorSize::B4096, ..GEOMETRY },
            Geometry { read_only: true, ..GEOMETRY },
        ] {
            assert!(difference(&found, &other).is_some(), "{other:?}");
        }
    }

    #[test]
    fn volumes_have_identities_of_their_own() {
        assert_eq!(identity(&[0; 16]), 1);
        assert_ne!(identity(&[1; 16]), 0);
        let (mut one, mut other) = ([0; 16], [0; 16]);
        (one[0], other[15]) = (1, 1);
        assert_ne!(identity(&one), identity(&other));
    }
}
