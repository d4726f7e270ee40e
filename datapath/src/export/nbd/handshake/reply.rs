//! Replies to one option, as bytes.

use crate::export::nbd::exports::Export;
use crate::export::nbd::wire::{OPTION_REPLY_MAGIC, info, rep};

/// Appends replies to one option to the bytes that go out.
pub(super) struct Replies<'a> {
    pub(super) option: u32,
    pub(super) out: &'a mut Vec<u8>,
}

impl Replies<'_> {
    /// The option is accepted, or its list of replies ends here.
    pub(super) fn ack(&mut self) {
        self.reply(rep::ACK, &[]);
    }

    /// The option is refused; `message` is for people.
    pub(super) fn refuse(&mut self, code: u32, message: &str) {
        self.reply(code, &[message.as_bytes()]);
    }

    /// One entry of `NBD_OPT_LIST`.
    pub(super) fn server(&mut self, export: &Export) {
        let name_len = u32_len(&export.name).to_be_bytes();
        self.reply(rep::SERVER, &[&name_len, export.name.as_bytes(), export.description.as_bytes()]);
    }

    /// Size and transmission flags, which every `NBD_OPT_INFO` and `NBD_OPT_GO` is owed.
    pub(super) fn info_export(&mut self, export: &Export, structured: bool) {
        let size = export.volume.geometry().len.0.to_be_bytes();
        let flags = export.transmission_flags(structured).to_be_bytes();
        self.info(info::EXPORT, &[&size, &flags]);
    }

    /// One further piece of information, if it is one the server knows.
    pub(super) fn info_wanted(&mut self, wanted: u16, export: &Export) {
        match wanted {
            info::NAME => self.info(wanted, &[export.name.as_bytes()]),
            info::DESCRIPTION => self.info(wanted, &[export.description.as_bytes()]),
            info::BLOCK_SIZE => {
                let [minimum, preferred, maximum] = export.block_sizes().map(u32::to_be_bytes);
                self.info(wanted, &[&minimum, &preferred, &maximum]);
            }
            _ => (),
        }
    }

    /// A metadata context that can be, or now is, selected.
    pub(super) fn meta_context(&mut self, id: u32, name: &str) {
        self.reply(rep::META_CONTEXT, &[&id.to_be_bytes(), name.as_bytes()]);
    }

    fn info(&mut self, kind: u16, parts: &[&[u8]]) {
        let kind = kind.to_be_bytes();
        let parts: Vec<&[u8]> = [&kind[..]].into_iter().chain(parts.iter().copied()).collect();
        self.reply(rep::INFO, &parts);
    }

    fn reply(&mut self, code: u32, parts: &[&[u8]]) {
        let len: u32 = parts.iter().map(u32_len).sum();
        self.out.extend_from_slice(&OPTION_REPLY_MAGIC.to_be_bytes());
        self.out.extend_from_slice(&self.option.to_be_bytes());
        self.out.extend_from_slice(&code.to_be_bytes());
        self.out.extend_from_slice(&len.to_be_bytes());
        parts.iter().for_each(|part| self.out.extend_from_slice(part));
    }
}

/// The length of a part of a reply; every part is at most a protocol string.
fn u32_len(part: impl AsRef<[u8]>) -> u32 {
    u32::try_from(part.as_ref().len()).unwrap_or(u32::MAX)
}
