//! A session whose handshake is over: data out of records and into them, with no copy on the way in and one on the way
//! out, and the little that peers say to each other besides (RFC 8446 sections 4.6.3, 5.5 and 6).

use std::ops::Range;

use rustls::ProtocolVersion;
use rustls::kernel::KernelConnection;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};

use super::TlsFault;
use super::record::{Content, FATAL, Protection, RecordError};
use crate::ring::Message;

/// Records in a row that may come without data.
const MAX_SILENT: u32 = 32;
/// `key_update` messages: a reply is asked for, or not.
const KEY_UPDATE: [u8; 4] = [24, 0, 0, 1];
const NOT_REQUESTED: u8 = 0;
const REQUESTED: u8 = 1;
const WARNING: u8 = 1;
const CLOSE_NOTIFY: u8 = 0;
const USER_CANCELED: u8 = 90;
/// glibc before 2.39 copies 4 KiB and more with `rep movsb`, which for some alignments takes several times as long on
/// AMD's Zen 3 and 4.
const COPY: usize = 2 << 10;

/// See the module.
pub(super) struct Open {
    /// Knows the keys that follow these.
    keys: KernelConnection<ServerConnectionData>,
    incoming: Protection,
    outgoing: Protection,
    /// Records that one key may protect on the way out.
    limit: u64,
    /// Records since the last one with data.
    silent: u32,
    /// An answer to a key update is waiting to be sent.
    answering: bool,
    /// See [`Self::has_ended`].
    ended: bool,
}

impl Open {
    /// Takes over from a handshake that is complete.
    ///
    /// # Errors
    /// When it is not, or the suite is unknown.
    pub(super) fn new(session: UnbufferedServerConnection) -> Result<Self, TlsFault> {
        let (secrets, keys) = session.dangerous_into_kernel_connection()?;
        let version = keys.protocol_version();
        let suite = keys.negotiated_cipher_suite();
        let common = suite.tls13().map_or_else(
            || match suite {
                rustls::SupportedCipherSuite::Tls12(suite) => &suite.common,
                rustls::SupportedCipherSuite::Tls13(suite) => &suite.common,
            },
            |suite| &suite.common,
        );
        let limit = if cfg!(test) { 64 } else { common.confidentiality_limit };
        Ok(Self {
            incoming: Protection::new(version, &secrets.rx)?,
            outgoing: Protection::new(version, &secrets.tx)?,
            keys,
            limit,
            silent: 0,
            answering: false,
            ended: false,
        })
    }

    /// Whether the peer has said that it sends no more.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Opens a record in place. Where its data is, if it has any; an answer to anything else goes to `out`.
    ///
    /// # Errors
    /// What the peer did wrong, or that it gave up.
    pub(super) fn receive(&mut self, record: &mut [u8], out: &mut Vec<u8>) -> Result<Range<usize>, TlsFault> {
        let (content, range) = self.incoming.open(record)?;
        if content == Content::DATA && !range.is_empty() {
            self.silent = 0;
            return Ok(range);
        }
        self.silent += 1;
        if self.silent > MAX_SILENT {
            return Err(RecordError::Unexpected.into());
        }
        match (content, &record[range]) {
            (Content::DATA, _) => (),
            (Content::ALERT, [_, CLOSE_NOTIFY]) => self.ended = true,
            (Content::ALERT, [_, USER_CANCELED]) => (),
            (Content::ALERT, [_, description]) => return Err(TlsFault::Alert(*description)),
            (Content::HANDSHAKE, [message @ .., request @ (NOT_REQUESTED | REQUESTED)])
                if message == KEY_UPDATE && self.keys.protocol_version() == ProtocolVersion::TLSv1_3 =>
            {
                let requested = *request == REQUESTED;
                self.incoming = Protection::new(ProtocolVersion::TLSv1_3, &self.keys.update_rx_secret()?)?;
                if requested && !self.answering {
                    self.answering = true;
                    self.update_outgoing(out)?;
                }
            }
            _ => return Err(RecordError::Unexpected.into()),
        }
        Ok(0..0)
    }

    /// Seals what is left of `message`, as data, to the end of `out`.
    ///
    /// # Errors
    /// [`RecordError::Exhausted`] when the key has protected all that it can and the version has no way to change it.
    pub(super) fn send(&mut self, message: &Message, out: &mut Vec<u8>) -> Result<(), TlsFault> {
        self.answering = false;
        let mut record = None;
        let mut result = Ok(());
        message.for_each_left(|bytes| {
            if result.is_ok() {
                result = self.append(bytes, &mut record, out);
            }
        });
        result?;
        if let Some(start) = record {
            self.outgoing.seal(Content::DATA, out, start)?;
        }
        Ok(())
    }

    /// Appends data to the record that has begun, and to as many more as it needs.
    fn append(&mut self, mut bytes: &[u8], record: &mut Option<usize>, out: &mut Vec<u8>) -> Result<(), TlsFault> {
        while !bytes.is_empty() {
            let start = match record.take() {
                Some(start) => start,
                None => {
                    if self.outgoing.records() >= self.limit {
                        self.update_outgoing(out)?;
                    }
                    self.outgoing.begin(out)
                }
            };
            let room = self.outgoing.room(out, start);
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            now.chunks(COPY).for_each(|piece| out.extend_from_slice(piece));
            if now.len() == room {
                self.outgoing.seal(Content::DATA, out, start)?;
            } else {
                *record = Some(start);
            }
            bytes = rest;
        }
        Ok(())
    }

    /// Says goodbye.
    pub(super) fn close(&mut self, out: &mut Vec<u8>) {
        // A session that cannot even say this ends without.
        let _ = self.say(Content::ALERT, &[WARNING, CLOSE_NOTIFY], out);
    }

    /// Tells the peer what it did wrong.
    pub(super) fn complain(&mut self, alert: u8, out: &mut Vec<u8>) {
        let _ = self.say(Content::ALERT, &[FATAL, alert], out);
    }

    /// Changes the key of what is sent.
    fn update_outgoing(&mut self, out: &mut Vec<u8>) -> Result<(), TlsFault> {
        if self.keys.protocol_version() != ProtocolVersion::TLSv1_3 {
            return Err(RecordError::Exhausted.into());
        }
        let [kind, a, b, c] = KEY_UPDATE;
        self.say(Content::HANDSHAKE, &[kind, a, b, c, NOT_REQUESTED], out)?;
        self.outgoing = Protection::new(ProtocolVersion::TLSv1_3, &self.keys.update_tx_secret()?)?;
        Ok(())
    }

    fn say(&mut self, content: Content, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), RecordError> {
        let start = self.outgoing.begin(out);
        out.extend_from_slice(bytes);
        self.outgoing.seal(content, out, start)
    }
}
