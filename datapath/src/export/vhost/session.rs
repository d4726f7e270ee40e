//! One front end: its messages, one by one, and what they make of the queues.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use super::channel::{Channel, Message};
use super::device::{Device, MAX_QUEUE_SIZE, QUEUES};
use super::inflight::Inflight;
use super::memory::Table;
use super::message::{Kind, Payload, protocol};
use super::order::{Gone, Order, Orderer};
use super::vring::{Addresses, Vring};

/// See the module.
pub(super) struct Session<'a> {
    channel: Channel,
    device: &'a Arc<Device>,
    queues: &'a [Orderer],
    vrings: Vec<Vring>,
    table: Option<Table>,
    inflight: Option<Inflight>,
    features: u64,
    protocol: u64,
}

/// Why a message was not obeyed.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{0}")]
    Invalid(&'static str),
    #[error(transparent)]
    System(#[from] io::Error),
    #[error(transparent)]
    Gone(#[from] Gone),
}

impl From<&'static str> for Refusal {
    fn from(reason: &'static str) -> Self {
        Self::Invalid(reason)
    }
}

/// What a message is answered with.
enum Answer {
    /// Nothing, unless the front end wants to know.
    Done,
    Payload(Vec<u8>),
    PayloadAndFile(Vec<u8>, OwnedFd),
}

impl<'a> Session<'a> {
    pub(super) fn new(socket: UnixStream, device: &'a Arc<Device>, queues: &'a [Orderer]) -> io::Result<Self> {
        let vrings = queues.iter().map(|_| Vring::default()).collect();
        let channel = Channel::new(socket)?;
        Ok(Self { channel, device, queues, vrings, table: None, inflight: None, features: 0, protocol: 0 })
    }

    /// Obeys the front end until it goes or `stop` becomes readable.
    pub(super) fn run(mut self, stop: BorrowedFd<'_>) {
        let end = loop {
            match super::server::wait_for(self.channel.as_fd(), stop) {
                Ok(true) => (),
                Ok(false) => break Ok(()),
                Err(error) => break Err(error),
            }
            match self.channel.receive() {
                Ok(Some(message)) => {
                    if let Err(error) = self.obey(message) {
                        break Err(error);
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        match end {
            Ok(()) => tracing::info!("the virtual machine's front end is gone"),
            Err(error) => tracing::warn!(%error, "the connection to the virtual machine's front end was closed"),
        }
    }

    /// An error ends the connection.
    fn obey(&mut self, message: Message) -> io::Result<()> {
        let header = message.header;
        let acknowledges = self.protocol & 1 << protocol::REPLY_ACK != 0 && header.needs_reply();
        match self.answer(message) {
            Ok(Answer::Done) if acknowledges => self.channel.reply(header, &0_u64.to_ne_bytes(), None),
            Ok(Answer::Done) => Ok(()),
            Ok(Answer::Payload(payload)) => self.channel.reply(header, &payload, None),
            Ok(Answer::PayloadAndFile(payload, file)) => self.channel.reply(header, &payload, Some(file.as_fd())),
            Err(refusal @ (Refusal::Invalid(_) | Refusal::System(_))) if acknowledges => {
                tracing::warn!(message = header.number(), %refusal, "a front end's message was refused");
                self.channel.reply(header, &1_u64.to_ne_bytes(), None)
            }
            Err(refusal) => Err(io::Error::other(format!("its message {} was refused: {refusal}", header.number()))),
        }
    }

    fn answer(&mut self, message: Message) -> Result<Answer, Refusal> {
        let Message { header, payload, mut files } = message;
        let kind = header.kind().ok_or("it is not known here")?;
        let mut fields = Payload(&payload);
        match kind {
            Kind::GetFeatures => return Ok(u64_answer(self.device.features())),
            Kind::GetProtocolFeatures => return Ok(u64_answer(Device::protocol_features())),
            Kind::GetQueueCount => return Ok(u64_answer(QUEUES.into())),
            Kind::SetFeatures => self.set_features(fields.u64()?)?,
            Kind::SetProtocolFeatures => self.protocol = known(fields.u64()?, Device::protocol_features())?,
            Kind::SetOwner => (),
            Kind::ResetOwner => self.stop_all()?,
            Kind::SetMemoryTable => self.set_memory(&payload, files)?,
            Kind::SetVringSize => {
                let (index, size) = (self.index(fields.u32()?)?, fields.u32()?);
                let size = u16::try_from(size).ok().filter(|size| size.is_power_of_two() && *size <= MAX_QUEUE_SIZE);
                let size = size.ok_or("a queue has no such size")?;
                self.change(index, |vring| vring.size = size)?;
            }
            Kind::SetVringAddresses => {
                let (index, _flags) = (self.index(fields.u32()?)?, fields.u32()?);
                let addresses = Addresses { descriptors: fields.u64()?, used: fields.u64()?, available: fields.u64()? };
                self.change(index, |vring| vring.addresses = Some(addresses))?;
            }
            Kind::SetVringBase => {
                let (index, position) = (self.index(fields.u32()?)?, fields.u32()?);
                let position = u16::try_from(position).map_err(|_| "a ring has no such position")?;
                self.change(index, |vring| vring.position = position)?;
            }
            Kind::GetVringBase => {
                let index = self.index(fields.u32()?)?;
                self.stop(index)?;
                self.vrings[index].kick = None;
                self.vrings[index].call = None;
                let state = [u32::try_from(index).unwrap_or(u32::MAX), self.vrings[index].position.into()];
                return Ok(Answer::Payload(state.into_iter().flat_map(u32::to_ne_bytes).collect()));
            }
            Kind::SetVringKick => {
                let index = self.index_of_file(fields.u64()?, &files)?;
                let kick = Some(files.pop().ok_or("a queue without a kick descriptor is not served")?);
                self.change(index, |vring| vring.kick = kick)?;
            }
            Kind::SetVringCall => {
                let index = self.index_of_file(fields.u64()?, &files)?;
                self.set_call(index, files.pop())?;
            }
            // We have nothing to say there that our log does not say better.
            Kind::SetVringError => drop(self.index_of_file(fields.u64()?, &files)?),
            Kind::SetVringEnable => {
                let (index, enable) = (self.index(fields.u32()?)?, fields.u32()? != 0);
                self.change(index, |vring| vring.is_enabled = enable)?;
            }
            Kind::SetBackendChannel => {
                self.device.set_backend_channel(Some(files.pop().ok_or("its descriptor is missing")?));
            }
            Kind::GetConfig => return self.config(fields),
            Kind::SetConfig => return Err("the configuration space cannot be changed".into()),
            Kind::GetInflight => return self.create_inflight(fields),
            Kind::SetInflight => self.set_inflight(fields, files)?,
        }
        Ok(Answer::Done)
    }

    fn set_features(&mut self, features: u64) -> Result<(), Refusal> {
        let features = known(features, self.device.features())?;
        self.stop_all()?;
        self.features = features;
        self.start_all()
    }

    fn set_memory(&mut self, payload: &[u8], files: Vec<OwnedFd>) -> Result<(), Refusal> {
        let table = Table::map(payload, files)?;
        self.stop_all()?;
        self.table = Some(table);
        self.start_all()
    }

    /// The one change that does not interrupt the queue: interrupts are masked and moved while requests flow.
    fn set_call(&mut self, index: usize, call: Option<OwnedFd>) -> Result<(), Refusal> {
        if let Some(call) = &call {
            // A thread that serves must not wait for a guest to take its notifications.
            let flags = rustix::fs::fcntl_getfl(call).map_err(io::Error::from)?;
            rustix::fs::fcntl_setfl(call, flags | rustix::fs::OFlags::NONBLOCK).map_err(io::Error::from)?;
        }
        if self.vrings[index].is_served {
            let call = call.as_ref().map(OwnedFd::try_clone).transpose()?;
            self.queues[index].order(Order::Call(call))?;
        }
        self.vrings[index].call = call;
        Ok(())
    }

    fn config(&self, mut fields: Payload<'_>) -> Result<Answer, Refusal> {
        let (offset, len, flags) = (fields.u32()?, fields.u32()?, fields.u32()?);
        // An answer without bytes is how the protocol says that there are none.
        let config = self.device.config(offset as usize, len as usize).unwrap_or_default();
        let words = [offset, u32::try_from(config.len()).unwrap_or(0), flags];
        Ok(Answer::Payload(words.into_iter().flat_map(u32::to_ne_bytes).chain(config).collect()))
    }

    fn create_inflight(&mut self, mut fields: Payload<'_>) -> Result<Answer, Refusal> {
        let (_len, _offset, queues, entries) = (fields.u64()?, fields.u64()?, fields.u16()?, fields.u16()?);
        let (inflight, file) = Inflight::create(queues, entries)?;
        let mut payload = (inflight.len() as u64).to_ne_bytes().to_vec();
        payload.extend(0_u64.to_ne_bytes());
        payload.extend(queues.to_ne_bytes());
        payload.extend(entries.to_ne_bytes());
        payload.extend([0; 4]);
        Ok(Answer::PayloadAndFile(payload, file))
    }

    fn set_inflight(&mut self, mut fields: Payload<'_>, mut files: Vec<OwnedFd>) -> Result<(), Refusal> {
        let (len, offset, queues, entries) = (fields.u64()?, fields.u64()?, fields.u16()?, fields.u16()?);
        let file = files.pop().ok_or("its descriptor is missing")?;
        let inflight = Inflight::map(file, offset, len, queues, entries)?;
        self.stop_all()?;
        self.inflight = Some(inflight);
        self.start_all()
    }

    /// Changes what is known of a queue; it is served again afterwards, if it can be.
    fn change(&mut self, index: usize, change: impl FnOnce(&mut Vring)) -> Result<(), Refusal> {
        self.stop(index)?;
        change(&mut self.vrings[index]);
        self.start(index)
    }

    fn start(&mut self, index: usize) -> Result<(), Refusal> {
        let (Some(table), Ok(number)) = (&self.table, u16::try_from(index)) else { return Ok(()) };
        let vring = &mut self.vrings[index];
        if let Some(setup) = vring.setup(number, table, self.inflight.as_ref(), self.features)? {
            self.queues[index].order(Order::Start(Box::new(setup)))?;
            vring.is_served = true;
        }
        Ok(())
    }

    /// Waits until nothing of the queue is in flight.
    fn stop(&mut self, index: usize) -> Result<(), Refusal> {
        let vring = &mut self.vrings[index];
        if std::mem::take(&mut vring.is_served) {
            vring.position = self.queues[index].order(Order::Stop)?;
        }
        Ok(())
    }

    fn start_all(&mut self) -> Result<(), Refusal> {
        (0..self.vrings.len()).try_for_each(|index| self.start(index))
    }

    fn stop_all(&mut self) -> Result<(), Refusal> {
        (0..self.vrings.len()).try_for_each(|index| self.stop(index))
    }

    fn index(&self, number: u32) -> Result<usize, &'static str> {
        usize::try_from(number).ok().filter(|index| *index < self.vrings.len()).ok_or("there is no such queue")
    }

    /// The queue that a descriptor is for. Bit 8 says that there is none.
    fn index_of_file(&self, word: u64, files: &[OwnedFd]) -> Result<usize, &'static str> {
        let expected = usize::from(word & 0x100 == 0);
        let number = u32::try_from(word & 0xff).unwrap_or(u32::MAX);
        if files.len() == expected { self.index(number) } else { Err("its descriptor is missing, or is one too many") }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.device.set_backend_channel(None);
        if let Err(error) = self.stop_all() {
            tracing::debug!(%error, "the queues have ended before their front end's connection");
        }
    }
}

fn u64_answer(value: u64) -> Answer {
    Answer::Payload(value.to_ne_bytes().to_vec())
}

/// Features, if all of them are offered.
fn known(features: u64, offered: u64) -> Result<u64, &'static str> {
    if features & !offered == 0 { Ok(features) } else { Err("it acknowledges features that are not offered") }
}
