//! The messages of the vhost-user protocol: numbers, headers, payloads. All numbers are in the machine's own order.

/// Bytes of a header: request, flags, length of the payload, each a `u32`.
pub(super) const HEADER_LEN: usize = 12;
/// The longest payload that a front end needs, with room to spare: a configuration space of 256 bytes.
pub(super) const MAX_PAYLOAD: usize = 4096;
/// Descriptors that may come with a message (`VHOST_MEMORY_BASELINE_NREGIONS`).
pub(super) const MAX_FILES: usize = 8;

/// The version, in the lowest bits of the flags.
const VERSION: u32 = 1;
const VERSION_MASK: u32 = 3;
const IS_REPLY: u32 = 1 << 2;
const NEED_REPLY: u32 = 1 << 3;

/// What a front end asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    GetFeatures,
    SetFeatures,
    SetOwner,
    ResetOwner,
    SetMemoryTable,
    SetVringSize,
    SetVringAddresses,
    SetVringBase,
    GetVringBase,
    SetVringKick,
    SetVringCall,
    SetVringError,
    GetProtocolFeatures,
    SetProtocolFeatures,
    GetQueueCount,
    SetVringEnable,
    SetBackendChannel,
    GetConfig,
    SetConfig,
    GetInflight,
    SetInflight,
}

impl Kind {
    fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::GetFeatures,
            2 => Self::SetFeatures,
            3 => Self::SetOwner,
            4 => Self::ResetOwner,
            5 => Self::SetMemoryTable,
            8 => Self::SetVringSize,
            9 => Self::SetVringAddresses,
            10 => Self::SetVringBase,
            11 => Self::GetVringBase,
            12 => Self::SetVringKick,
            13 => Self::SetVringCall,
            14 => Self::SetVringError,
            15 => Self::GetProtocolFeatures,
            16 => Self::SetProtocolFeatures,
            17 => Self::GetQueueCount,
            18 => Self::SetVringEnable,
            21 => Self::SetBackendChannel,
            24 => Self::GetConfig,
            25 => Self::SetConfig,
            31 => Self::GetInflight,
            32 => Self::SetInflight,
            _ => return None,
        })
    }
}

/// Feature bit of the device: there are protocol features.
pub(super) const F_PROTOCOL_FEATURES: u32 = 30;

/// Protocol features, by bit.
pub(super) mod protocol {
    /// More than one queue.
    pub(in super::super) const MQ: u32 = 0;
    /// Any message can ask for a reply.
    pub(in super::super) const REPLY_ACK: u32 = 3;
    /// A channel for what the back end asks of the front end.
    pub(in super::super) const BACKEND_REQ: u32 = 5;
    /// The back end has the configuration space.
    pub(in super::super) const CONFIG: u32 = 9;
    /// Requests in flight are noted in shared memory, for the time after a crash.
    pub(in super::super) const INFLIGHT_SHMFD: u32 = 12;
}

/// A header that may be answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    number: u32,
    flags: u32,
    pub(super) len: usize,
}

impl Header {
    /// The header in `bytes`; a reason when it is not one.
    pub(super) fn parse(bytes: &[u8; HEADER_LEN]) -> Result<Self, &'static str> {
        let mut payload = Payload(bytes);
        let (number, flags, len) = (payload.u32()?, payload.u32()?, payload.u32()?);
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        if flags & VERSION_MASK != VERSION || flags & IS_REPLY != 0 {
            return Err("it is not a request of version 1");
        }
        if len > MAX_PAYLOAD { Err("its payload is too long") } else { Ok(Self { number, flags, len }) }
    }

    /// What is asked, if it is known here.
    pub(super) fn kind(self) -> Option<Kind> {
        Kind::from_number(self.number)
    }

    /// Its number in the protocol.
    pub(super) fn number(self) -> u32 {
        self.number
    }

    /// Whether the front end waits for an answer to a message that has none by itself.
    pub(super) fn needs_reply(self) -> bool {
        self.flags & NEED_REPLY != 0
    }

    /// The header of an answer with a payload of `len` bytes.
    pub(super) fn reply(self, len: usize) -> [u8; HEADER_LEN] {
        header(self.number, VERSION | IS_REPLY, len)
    }
}

/// `VHOST_USER_BACKEND_CONFIG_CHANGE_MSG`: the configuration space has changed. It has no payload and no answer.
pub(super) fn config_change() -> [u8; HEADER_LEN] {
    header(2, VERSION, 0)
}

fn header(number: u32, flags: u32, len: usize) -> [u8; HEADER_LEN] {
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    let mut bytes = [0; HEADER_LEN];
    for (place, word) in bytes.chunks_exact_mut(4).zip([number, flags, len]) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

/// Reads a payload from its start.
pub(super) struct Payload<'a>(pub(super) &'a [u8]);

impl Payload<'_> {
    pub(super) fn u16(&mut self) -> Result<u16, &'static str> {
        self.array().map(u16::from_ne_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, &'static str> {
        self.array().map(u32::from_ne_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, &'static str> {
        self.array().map(u64::from_ne_bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (first, rest) = self.0.split_first_chunk().ok_or("its payload is too short")?;
        self.0 = rest;
        Ok(*first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_request_of_version_1_with_a_payload_of_bounded_length() {
        let parse = |number, flags, len| Header::parse(&header(number, flags, len));
        let good = parse(24, VERSION | NEED_REPLY, MAX_PAYLOAD).unwrap();
        assert_eq!((good.kind(), good.needs_reply(), good.len), (Some(Kind::GetConfig), true, MAX_PAYLOAD));
        assert_eq!(parse(99, VERSION, 0).unwrap().kind(), None);
        for (flags, len) in [(VERSION | IS_REPLY, 0), (0, 0), (2, 0), (VERSION, MAX_PAYLOAD + 1), (VERSION, usize::MAX)]
        {
            assert!(parse(1, flags, len).is_err(), "{flags} {len}");
        }
    }

    #[test]
    fn a_payload_that_is_too_short_is_an_error() {
        let mut payload = Payload(&[1, 0, 0, 0, 0, 0, 0, 0, 7]);
        assert_eq!(payload.u64(), Ok(u64::from_ne_bytes([1, 0, 0, 0, 0, 0, 0, 0])));
        assert!(payload.u16().is_err());
        assert_eq!(payload.0, [7]);
    }
}
