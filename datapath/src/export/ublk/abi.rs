//! Numbers and layouts of ublk, from `linux/ublk_cmd.h` (Linux 6.12 unless said otherwise). All integers are in the
//! machine's own byte order.

/// Commands to the control device. They are encoded like those of `ioctl`.
pub(super) mod command {
    pub(in super::super) const ADD_DEV: u32 = super::read_write(0x04, super::CONTROL_LEN);
    pub(in super::super) const DEL_DEV: u32 = super::read_write(0x05, super::CONTROL_LEN);
    pub(in super::super) const START_DEV: u32 = super::read_write(0x06, super::CONTROL_LEN);
    pub(in super::super) const STOP_DEV: u32 = super::read_write(0x07, super::CONTROL_LEN);
    pub(in super::super) const SET_PARAMS: u32 = super::read_write(0x08, super::CONTROL_LEN);
    pub(in super::super) const GET_PARAMS: u32 = super::read(0x09, super::CONTROL_LEN);
    pub(in super::super) const START_USER_RECOVERY: u32 = super::read_write(0x10, super::CONTROL_LEN);
    pub(in super::super) const END_USER_RECOVERY: u32 = super::read_write(0x11, super::CONTROL_LEN);
    pub(in super::super) const GET_DEV_INFO2: u32 = super::read(0x12, super::CONTROL_LEN);
    /// Since Linux 6.5.
    pub(in super::super) const GET_FEATURES: u32 = super::read(0x13, super::CONTROL_LEN);
    /// Since Linux 6.16.
    pub(in super::super) const UPDATE_SIZE: u32 = super::read_write(0x15, super::CONTROL_LEN);

    /// Commands to a device: give me the next request with this tag.
    pub(in super::super) const FETCH_REQ: u32 = super::read_write(0x20, super::IO_LEN);
    /// This request is done; give me the next one.
    pub(in super::super) const COMMIT_AND_FETCH_REQ: u32 = super::read_write(0x21, super::IO_LEN);
}

/// `struct ublksrv_ctrl_cmd`, in bytes.
const CONTROL_LEN: u32 = 32;
/// `struct ublksrv_io_cmd`, in bytes.
const IO_LEN: u32 = 16;

/// `_IOR('u', number, …)`.
const fn read(number: u32, len: u32) -> u32 {
    2 << 30 | len << 16 | (b'u' as u32) << 8 | number
}

/// `_IOWR('u', number, …)`.
const fn read_write(number: u32, len: u32) -> u32 {
    1 << 30 | read(number, len)
}

/// What a driver can do, and what a device is asked to do (`UBLK_F_*`).
pub(super) mod feature {
    pub(in super::super) const USER_RECOVERY: u64 = 1 << 3;
    /// Requests that a dead server left behind are given to its successor.
    pub(in super::super) const USER_RECOVERY_REISSUE: u64 = 1 << 4;
    pub(in super::super) const UNPRIVILEGED_DEV: u64 = 1 << 5;
    pub(in super::super) const CMD_IOCTL_ENCODE: u64 = 1 << 6;
    /// The server copies data, by reads and writes of the device at [`super::data_position`].
    pub(in super::super) const USER_COPY: u64 = 1 << 7;
    pub(in super::super) const UPDATE_SIZE: u64 = 1 << 10;
}

/// States of a device (`UBLK_S_DEV_*`).
pub(super) mod state {
    /// Not started, or stopped: it has no block device.
    pub(in super::super) const DEAD: u16 = 0;
    pub(in super::super) const LIVE: u16 = 1;
    /// Its server is gone; requests wait for another one.
    pub(in super::super) const QUIESCED: u16 = 2;
}

/// Operations and flags of a request (`UBLK_IO_OP_*`, `UBLK_IO_F_*`).
pub(super) mod operation {
    pub(in super::super) const READ: u32 = 0;
    pub(in super::super) const WRITE: u32 = 1;
    pub(in super::super) const FLUSH: u32 = 2;
    pub(in super::super) const DISCARD: u32 = 3;
    pub(in super::super) const WRITE_ZEROES: u32 = 5;
    /// The bits that hold the operation.
    pub(in super::super) const MASK: u32 = 0xff;
    pub(in super::super) const FUA: u32 = 1 << 13;
}

/// "Any" where a device's number is expected.
pub(super) const ANY_DEVICE: u32 = u32::MAX;

/// The unit of lengths and positions.
pub(super) const SECTOR: u64 = 512;

/// Where in the device's file the data of a request lies (`UBLKSRV_IO_BUF_OFFSET`, `UBLK_QID_OFF`, `UBLK_TAG_OFF`).
pub(super) fn data_position(queue: u16, tag: u16) -> u64 {
    0x8000_0000 + (u64::from(queue) << 41 | u64::from(tag) << 25)
}

/// The first half of `struct ublksrv_io_cmd`: queue, tag and result.
pub(super) fn io_arguments(queue: u16, tag: u16, result: i32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[0..2].copy_from_slice(&queue.to_ne_bytes());
    bytes[2..4].copy_from_slice(&tag.to_ne_bytes());
    bytes[4..8].copy_from_slice(&result.to_ne_bytes());
    bytes
}

/// `struct ublksrv_ctrl_dev_info`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Info {
    pub(super) queues: u16,
    pub(super) depth: u16,
    pub(super) state: u16,
    /// The longest read or write, in bytes.
    pub(super) max_transfer: u32,
    pub(super) device: u32,
    pub(super) features: u64,
    /// `ublksrv_flags`: the server's own, kept by the kernel.
    pub(super) identity: u64,
    /// Filled in by the kernel.
    pub(super) owner: u32,
}

impl Info {
    /// Length in bytes.
    pub(super) const LEN: usize = 64;

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; Self::LEN];
        bytes[0..2].copy_from_slice(&self.queues.to_ne_bytes());
        bytes[2..4].copy_from_slice(&self.depth.to_ne_bytes());
        bytes[4..6].copy_from_slice(&self.state.to_ne_bytes());
        bytes[8..12].copy_from_slice(&self.max_transfer.to_ne_bytes());
        bytes[12..16].copy_from_slice(&self.device.to_ne_bytes());
        bytes[24..32].copy_from_slice(&self.features.to_ne_bytes());
        bytes[32..40].copy_from_slice(&self.identity.to_ne_bytes());
        bytes[40..44].copy_from_slice(&self.owner.to_ne_bytes());
        bytes
    }

    /// From at least [`Self::LEN`] bytes.
    pub(super) fn decode(bytes: &[u8]) -> Self {
        Self {
            queues: u16::from_ne_bytes(field(bytes, 0)),
            depth: u16::from_ne_bytes(field(bytes, 2)),
            state: u16::from_ne_bytes(field(bytes, 4)),
            max_transfer: u32::from_ne_bytes(field(bytes, 8)),
            device: u32::from_ne_bytes(field(bytes, 12)),
            features: u64::from_ne_bytes(field(bytes, 24)),
            identity: u64::from_ne_bytes(field(bytes, 32)),
            owner: u32::from_ne_bytes(field(bytes, 40)),
        }
    }

    /// Whether the device has all of these.
    pub(super) fn has(&self, features: u64) -> bool {
        self.features & features == features
    }
}

/// `struct ublk_params` as far as it is used: lengths, `ublk_param_basic` and `ublk_param_discard`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Params {
    pub(super) read_only: bool,
    /// The logical block size, as a power of two.
    pub(super) logical_shift: u8,
    /// What it would rather be given, as a power of two.
    pub(super) physical_shift: u8,
    /// The longest read or write, in [`SECTOR`]s.
    pub(super) max_sectors: u32,
    /// The device's length in [`SECTOR`]s.
    pub(super) sectors: u64,
    /// The longest discard in [`SECTOR`]s; 0: none.
    pub(super) max_discard: u32,
    /// The longest writing of zeroes in [`SECTOR`]s; 0: none.
    pub(super) max_zeroes: u32,
}

impl Params {
    /// Length in bytes.
    pub(super) const LEN: usize = 64;
    const BASIC_AND_DISCARD: u32 = 1 << 0 | 1 << 1;
    const READ_ONLY: u32 = 1 << 0;
    /// There is a cache to be flushed, and single writes can pass it by.
    const VOLATILE_CACHE_AND_FUA: u32 = 1 << 2 | 1 << 3;

    pub(super) fn encode(&self) -> Vec<u8> {
        let attributes = Self::VOLATILE_CACHE_AND_FUA | if self.read_only { Self::READ_ONLY } else { 0 };
        let mut bytes = vec![0; Self::LEN];
        bytes[0..4].copy_from_slice(&64_u32.to_ne_bytes());
        bytes[4..8].copy_from_slice(&Self::BASIC_AND_DISCARD.to_ne_bytes());
        bytes[8..12].copy_from_slice(&attributes.to_ne_bytes());
        // Logical and physical block, optimal and minimal transfer.
        bytes[12..16].copy_from_slice(&[
            self.logical_shift,
            self.physical_shift,
            self.physical_shift,
            self.physical_shift,
        ]);
        bytes[16..20].copy_from_slice(&self.max_sectors.to_ne_bytes());
        bytes[24..32].copy_from_slice(&self.sectors.to_ne_bytes());
        let granularity = 1_u32 << self.logical_shift;
        bytes[44..48].copy_from_slice(&granularity.to_ne_bytes());
        bytes[48..52].copy_from_slice(&self.max_discard.to_ne_bytes());
        bytes[52..56].copy_from_slice(&self.max_zeroes.to_ne_bytes());
        // One range in a discard: the kernel takes no other number.
        bytes[56..58].copy_from_slice(&1_u16.to_ne_bytes());
        bytes
    }

    /// What is asked for: as many bytes as [`Self::LEN`] of everything.
    pub(super) fn question() -> Vec<u8> {
        let mut bytes = vec![0; Self::LEN];
        bytes[0..4].copy_from_slice(&64_u32.to_ne_bytes());
        bytes
    }

    /// From at least [`Self::LEN`] bytes.
    pub(super) fn decode(bytes: &[u8]) -> Self {
        Self {
            read_only: u32::from_ne_bytes(field(bytes, 8)) & Self::READ_ONLY != 0,
            logical_shift: bytes[12],
            physical_shift: bytes[13],
            max_sectors: u32::from_ne_bytes(field(bytes, 16)),
            sectors: u64::from_ne_bytes(field(bytes, 24)),
            max_discard: u32::from_ne_bytes(field(bytes, 48)),
            max_zeroes: u32::from_ne_bytes(field(bytes, 52)),
        }
    }
}

/// `N` bytes at `at`.
fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[at..at + N]);
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_numbered_as_the_header_computes_them() {
        // Printed by a C program from the header's macros.
        assert_eq!(command::ADD_DEV, 0xc020_7504);
        assert_eq!(command::GET_DEV_INFO2, 0x8020_7512);
        assert_eq!(command::FETCH_REQ, 0xc010_7520);
        assert_eq!(command::COMMIT_AND_FETCH_REQ, 0xc010_7521);
    }

    #[test]
    fn what_was_encoded_is_decoded() {
        let info = Info {
            queues: 1,
            depth: 2,
            state: 3,
            max_transfer: 4,
            device: 5,
            features: 6 << 40,
            identity: u64::MAX - 7,
            owner: 8,
        };
        assert_eq!(Info::decode(&info.encode()), info);
        let params = Params {
            read_only: true,
            logical_shift: 9,
            physical_shift: 12,
            max_sectors: 512,
            sectors: 1 << 40,
            max_discard: 10,
            max_zeroes: 11,
        };
        assert_eq!(Params::decode(&params.encode()), params);
    }

    #[test]
    fn the_data_of_requests_does_not_overlap() {
        assert_eq!(data_position(0, 0), 0x8000_0000);
        assert_eq!(data_position(0, 1) - data_position(0, 0), 32 << 20);
        assert!(data_position(1, 0) > data_position(0, 4095));
        assert_eq!(io_arguments(1, 2, -5)[..4], [1_u16.to_ne_bytes(), 2_u16.to_ne_bytes()].concat());
    }
}
