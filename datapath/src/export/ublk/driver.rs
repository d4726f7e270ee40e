//! The kernel's driver: its commands, one function each.

use std::io;
use std::time::{Duration, Instant};

use super::abi::{ANY_DEVICE, Info, Params, command, feature, state};
use super::error::UblkError;
use crate::ring::ublk::{Command, Control};

/// How long the kernel may take for what needs others: starting a device reads its partition table, stopping it waits
/// for requests, taking it over for the end of the old server.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take to remove what nobody should use any more.
const REMOVAL: Duration = Duration::from_secs(10);
/// How long a device may take to notice that its server is gone.
const NOTICE: Duration = Duration::from_secs(10);

/// The driver, by its control device.
pub(super) struct Driver {
    control: Control,
    /// Devices are made by a user without privileges.
    unprivileged: bool,
    features: u64,
}

impl Driver {
    /// Opens the control device and looks at what the driver can do.
    pub(super) fn open() -> Result<Self, UblkError> {
        let control = Control::open().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => UblkError::NoDriver,
            _ => UblkError::Control(error),
        })?;
        let mut driver = Self { control, unprivileged: !rustix::process::geteuid().is_root(), features: 0 };
        driver.features = driver.ask_features()?;
        let needs: &[(u64, &str)] = match driver.unprivileged {
            true => &[(feature::UNPRIVILEGED_DEV, "devices of users other than root")],
            false => &[(feature::USER_COPY, "user copy"), (feature::USER_RECOVERY_REISSUE, "user recovery")],
        };
        match needs.iter().find(|(needed, _)| !driver.can(*needed)) {
            Some((_, name)) => Err(UblkError::Lacks(name)),
            None => Ok(driver),
        }
    }

    /// Whether it has all of these.
    pub(super) fn can(&self, features: u64) -> bool {
        self.features & features == features
    }

    /// What is asked of a new device.
    pub(super) fn wanted(&self) -> u64 {
        match self.unprivileged {
            true => feature::CMD_IOCTL_ENCODE | feature::UNPRIVILEGED_DEV,
            false => {
                let recovery = feature::USER_RECOVERY | feature::USER_RECOVERY_REISSUE;
                feature::CMD_IOCTL_ENCODE | feature::USER_COPY | recovery | self.features & feature::UPDATE_SIZE
            }
        }
    }

    /// Makes a device; `info` says what it shall be, the answer what it became.
    pub(super) fn add(&mut self, info: &Info) -> Result<Info, UblkError> {
        let command = Command { code: command::ADD_DEV, device: ANY_DEVICE, data: 0, path_len: 0 };
        let answer = self.control.call(&command, info.encode(), || true).map_err(UblkError::refused("add"))?;
        Ok(Info::decode(&answer))
    }

    /// What a device is; `None` when there is none, or none that this user may look at.
    pub(super) fn info(&mut self, device: u32) -> Option<Info> {
        // This command wants the path from everybody.
        let (mut buffer, path_len) = path(device);
        buffer.resize(buffer.len() + Info::LEN, 0);
        let command = Command { code: command::GET_DEV_INFO2, device, data: 0, path_len };
        let answer = self.control.call(&command, buffer, || true).ok()?;
        Some(Info::decode(&answer[usize::from(path_len)..]))
    }

    /// Says what a new device's disk shall be.
    pub(super) fn set_params(&mut self, device: u32, params: &Params) -> Result<(), UblkError> {
        let doing = UblkError::refused("describe");
        self.call(command::SET_PARAMS, device, 0, &params.encode(), || true).map(drop).map_err(doing)
    }

    /// What a device's disk is.
    pub(super) fn params(&mut self, device: u32) -> Result<Params, UblkError> {
        let answer = self.call(command::GET_PARAMS, device, 0, &Params::question(), || true);
        Ok(Params::decode(&answer.map_err(UblkError::refused("look at"))?))
    }

    /// Makes the block device appear, once its queues wait for requests. `go_on` is asked now and then.
    pub(super) fn start(&mut self, device: u32, go_on: impl Fn() -> bool) -> Result<(), UblkError> {
        self.with_server(command::START_DEV, device, go_on).map_err(UblkError::refused("start"))
    }

    /// Prepares a device whose server is gone for its next one.
    pub(super) fn start_recovery(&mut self, device: u32) -> Result<(), UblkError> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.call(command::START_USER_RECOVERY, device, 0, &[], || true) {
                Ok(_) => return Ok(()),
                // The kernel still ends what the old server had begun.
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy && Instant::now() < end => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => return Err(UblkError::refused("take over")(error)),
            }
        }
    }

    /// Lets requests flow again, once the new queues wait for them.
    pub(super) fn end_recovery(&mut self, device: u32, go_on: impl Fn() -> bool) -> Result<(), UblkError> {
        self.with_server(command::END_USER_RECOVERY, device, go_on).map_err(UblkError::refused("take over"))
    }

    /// Takes the block device away. Requests in flight end before, so the queues must still be served.
    pub(super) fn stop(&mut self, device: u32) -> Result<(), UblkError> {
        self.call(command::STOP_DEV, device, 0, &[], patience(PATIENCE)).map(drop).map_err(UblkError::refused("stop"))
    }

    /// Removes what is left of the device.
    pub(super) fn delete(&mut self, device: u32) -> Result<(), UblkError> {
        self.call(command::DEL_DEV, device, 0, &[], patience(REMOVAL)).map(drop).map_err(UblkError::refused("remove"))
    }

    /// Gives the disk another length, in sectors of 512 bytes.
    pub(super) fn update_size(&mut self, device: u32, sectors: u64) -> Result<(), UblkError> {
        let doing = UblkError::refused("resize");
        self.call(command::UPDATE_SIZE, device, sectors, &[], || true).map(drop).map_err(doing)
    }

    /// Whether the device is there, and carries `identity`.
    pub(super) fn carries(&mut self, device: u32, identity: u64) -> bool {
        self.info(device).is_some_and(|info| info.identity == identity)
    }

    /// The device that carries `identity`, was made by this user, and whose server is gone; what never started is
    /// removed.
    pub(super) fn find_orphan(&mut self, identity: u64) -> Option<Info> {
        let user = rustix::process::geteuid().as_raw();
        for device in devices() {
            let mine = |info: &Info| info.identity == identity && info.owner == user;
            let Some(mut info) = self.info(device).filter(mine) else { continue };
            let end = Instant::now() + NOTICE;
            while info.state == state::LIVE && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(20));
                info = self.info(device).filter(mine).unwrap_or_default();
            }
            match info.state {
                // It went away meanwhile.
                _ if info.identity != identity => (),
                state::QUIESCED if info.has(feature::USER_RECOVERY | feature::USER_COPY) => return Some(info),
                state::DEAD => {
                    tracing::info!(device, "removing a ublk device that an earlier server left behind");
                    if let Err(error) = self.delete(device) {
                        tracing::warn!(%error, device, "a ublk device of an earlier server remains");
                    }
                }
                _ => tracing::warn!(device, "this volume, or a copy of it, is served at another ublk device too"),
            }
        }
        None
    }

    fn ask_features(&mut self) -> Result<u64, UblkError> {
        let command = Command { code: command::GET_FEATURES, device: ANY_DEVICE, data: 0, path_len: 0 };
        let answer = self.control.call(&command, vec![0; 8], || true).map_err(|_| UblkError::Lacks("user copy"))?;
        Ok(answer.first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes)))
    }

    /// A command that tells which process serves the device.
    fn with_server(&mut self, code: u32, device: u32, go_on: impl Fn() -> bool) -> io::Result<()> {
        let mut patience = patience(PATIENCE);
        self.call(code, device, std::process::id().into(), &[], || go_on() && patience()).map(drop)
    }

    /// Gives a command about a device. What is not root's is named by its path too.
    fn call(
        &mut self,
        code: u32,
        device: u32,
        data: u64,
        payload: &[u8],
        patience: impl FnMut() -> bool,
    ) -> io::Result<Vec<u8>> {
        let (mut buffer, path_len) = if self.unprivileged { path(device) } else { (Vec::new(), 0) };
        buffer.extend_from_slice(payload);
        let mut answer = self.control.call(&Command { code, device, data, path_len }, buffer, patience)?;
        Ok(answer.split_off(path_len.into()))
    }
}

/// Ends after that time.
fn patience(time: Duration) -> impl FnMut() -> bool {
    let end = Instant::now() + time;
    move || Instant::now() < end
}

/// The path of a device as commands want it, and its length.
fn path(device: u32) -> (Vec<u8>, u16) {
    let path = format!("/dev/ublkc{device}\0").into_bytes();
    let len = u16::try_from(path.len()).unwrap_or(u16::MAX);
    (path, len)
}

/// The numbers of the devices that there are.
fn devices() -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/sys/class/ublk-char") else { return Vec::new() };
    let number = |entry: std::fs::DirEntry| entry.file_name().to_str()?.strip_prefix("ublkc")?.parse().ok();
    let mut numbers: Vec<u32> = entries.filter_map(Result::ok).filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}
