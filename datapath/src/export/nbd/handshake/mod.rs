//! The handshake: fixed newstyle negotiation (NBD protocol, "Newstyle negotiation"), as a state machine without I/O.
//!
//! The caller sends the greeting, then fills [`Handshake::space`] from the client and reports how much with
//! [`Handshake::advance`]. The machine never asks for a byte beyond the message it is in, so nothing of the TLS
//! session or of the transmission phase is ever taken for an option.

mod answer;
mod option;
mod reply;
#[cfg(test)]
mod tests;

use std::mem;

use super::exports::{Export, Exports};
use super::transmission::Session;
use super::wire::{self, OPTION_HEADER_LEN, OptionHeader, handshake_flag};

/// The longest option data accepted, in bytes: a name of 4096 bytes and a dozen queries fit.
pub const MAX_OPTION_LEN: u32 = 64 << 10;
/// How many options a client may send on one connection.
pub const MAX_OPTIONS: u32 = 4096;
/// Length of the server's greeting in bytes.
pub const GREETING_LEN: usize = 18;

/// Whether clients can, or must, upgrade to TLS (NBD protocol, "Server-side requirements").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// No TLS (`NOTLS`).
    None,
    /// TLS for clients that ask for it (`SELECTIVETLS`, mandatory on no export). An attacker on the wire can talk a
    /// client out of it, unless the client insists.
    Optional,
    /// No option but the upgrade itself is served before TLS (`FORCEDTLS`).
    Required,
}

/// What the caller does next.
pub enum Next {
    /// Send the reply bytes and read on.
    Continue,
    /// Send the reply bytes, run the TLS handshake, call [`Handshake::secured`] and read on, through TLS.
    StartTls,
    /// Send the reply bytes; the transmission phase of this export begins.
    Transmit(Export, Session),
    /// Send the reply bytes and close.
    Close,
}

/// Why the connection is dropped without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The client set a flag that was not offered.
    #[error("the client set handshake flags that were not offered: {0:#x}")]
    ClientFlags(u32),
    /// An option does not begin with `IHAVEOPT`.
    #[error("an option begins with {0:#018x}, not with the option magic: the client does not speak newstyle NBD")]
    OptionMagic(u64),
    /// Option data above [`MAX_OPTION_LEN`].
    #[error("an option of {0} bytes is over the limit of {MAX_OPTION_LEN}")]
    OptionTooLong(u32),
    /// More than [`MAX_OPTIONS`] options.
    #[error("the client sent more than {MAX_OPTIONS} options without choosing an export")]
    TooManyOptions,
    /// An option other than `NBD_OPT_EXPORT_NAME` without fixed newstyle, which alone can answer it.
    #[error("option {0} was sent without the fixed newstyle flag")]
    NotFixedNewstyle(u32),
    /// `NBD_OPT_EXPORT_NAME` cannot be refused in any other way.
    #[error("the export asked for by NBD_OPT_EXPORT_NAME does not exist or needs TLS first")]
    ExportName,
}

/// The state of one negotiation.
///
/// ```text
///   ClientFlags ──▶ OptionHeader ──▶ OptionData ──┬─▶ Over (export chosen, abort, violation)
///                        ▲                        │
///                        └──── answered ◀─────────┘
/// ```
enum State {
    ClientFlags,
    OptionHeader,
    OptionData { option: u32 },
    Over,
}

/// One negotiation with one client.
pub struct Handshake {
    exports: Exports,
    tls: TlsMode,
    secure: bool,
    fixed_newstyle: bool,
    no_zeroes: bool,
    chosen: Chosen,
    options: u32,
    state: State,
    input: Vec<u8>,
    filled: usize,
}

/// What the client has negotiated so far; forgotten when TLS starts.
#[derive(Default)]
struct Chosen {
    structured: bool,
    /// The name of the export for which `base:allocation` was selected.
    allocation_of: Option<String>,
}

impl Handshake {
    /// A negotiation about `exports`.
    #[must_use]
    pub fn new(exports: Exports, tls: TlsMode) -> Self {
        Self {
            exports,
            tls,
            secure: false,
            fixed_newstyle: false,
            no_zeroes: false,
            chosen: Chosen::default(),
            options: 0,
            state: State::ClientFlags,
            input: vec![0; size_of::<u32>()],
            filled: 0,
        }
    }

    /// What the server sends first.
    #[must_use]
    pub fn greeting() -> [u8; GREETING_LEN] {
        let mut greeting = [0; GREETING_LEN];
        greeting[..8].copy_from_slice(&wire::GREETING_MAGIC.to_be_bytes());
        greeting[8..16].copy_from_slice(&wire::OPTION_MAGIC.to_be_bytes());
        greeting[16..].copy_from_slice(&(handshake_flag::FIXED_NEWSTYLE | handshake_flag::NO_ZEROES).to_be_bytes());
        greeting
    }

    /// Where the client's next bytes go: never empty until the negotiation is over.
    pub fn space(&mut self) -> &mut [u8] {
        &mut self.input[self.filled..]
    }

    /// Takes the first `received` bytes of [`Handshake::space`] and appends what is to be sent to `out`.
    ///
    /// # Errors
    /// When the client breaks a rule that has no polite answer; the caller closes the connection.
    pub fn advance(&mut self, received: usize, out: &mut Vec<u8>) -> Result<Next, Violation> {
        self.filled = self.filled.saturating_add(received).min(self.input.len());
        if self.filled < self.input.len() {
            return Ok(Next::Continue);
        }
        let next = self.step(out);
        if !matches!(next, Ok(Next::Continue | Next::StartTls)) {
            self.expect(State::Over, 0);
        }
        next
    }

    /// Tells that the connection is now inside TLS. Everything negotiated before is void (`NBD_OPT_STARTTLS`).
    pub fn secured(&mut self) {
        self.secure = true;
        self.chosen = Chosen::default();
    }

    /// Handles one whole message; one without data is followed at once by its answer.
    fn step(&mut self, out: &mut Vec<u8>) -> Result<Next, Violation> {
        let input = mem::take(&mut self.input);
        match self.state {
            State::ClientFlags => self.client_flags(&input),
            State::OptionHeader => self.option_header(&input, out),
            State::OptionData { option } => {
                self.expect(State::OptionHeader, OPTION_HEADER_LEN);
                self.answer(option, &input, out)
            }
            State::Over => Ok(Next::Close),
        }
    }

    fn client_flags(&mut self, input: &[u8]) -> Result<Next, Violation> {
        let flags = wire::Fields(input).u32().unwrap_or_default();
        let known = u32::from(handshake_flag::FIXED_NEWSTYLE | handshake_flag::NO_ZEROES);
        if flags & !known != 0 {
            return Err(Violation::ClientFlags(flags));
        }
        self.fixed_newstyle = flags & u32::from(handshake_flag::FIXED_NEWSTYLE) != 0;
        self.no_zeroes = flags & u32::from(handshake_flag::NO_ZEROES) != 0;
        self.expect(State::OptionHeader, OPTION_HEADER_LEN);
        Ok(Next::Continue)
    }

    fn option_header(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<Next, Violation> {
        let header = OptionHeader::decode(input);
        self.options += 1;
        if header.magic != wire::OPTION_MAGIC {
            return Err(Violation::OptionMagic(header.magic));
        }
        if header.len > MAX_OPTION_LEN {
            return Err(Violation::OptionTooLong(header.len));
        }
        if self.options > MAX_OPTIONS {
            return Err(Violation::TooManyOptions);
        }
        if header.len == 0 {
            self.expect(State::OptionHeader, OPTION_HEADER_LEN);
            return self.answer(header.option, &[], out);
        }
        self.expect(State::OptionData { option: header.option }, header.len as usize);
        Ok(Next::Continue)
    }

    fn expect(&mut self, state: State, len: usize) {
        self.state = state;
        self.input = vec![0; len];
        self.filled = 0;
    }
}
