//! The answer to each option.

use super::option::{InfoRequest, MetaRequest};
use super::reply::Replies;
use super::{Handshake, Next, TlsMode, Violation};
use crate::export::nbd::exports::Export;
use crate::export::nbd::transmission::{ALLOCATION_CONTEXT, Session};
use crate::export::nbd::wire::{self, EXPORT_NAME_PADDING, info, opt, rep};

/// The one metadata context served.
const ALLOCATION: &str = "base:allocation";
/// The query that matches every context of its namespace, in a listing.
const BASE_WILDCARD: &str = "base:";

impl Handshake {
    /// Answers one whole option.
    pub(super) fn answer(&mut self, option: u32, data: &[u8], out: &mut Vec<u8>) -> Result<Next, Violation> {
        if option == opt::EXPORT_NAME {
            return self.export_name(data, out);
        }
        if !self.fixed_newstyle {
            return Err(Violation::NotFixedNewstyle(option));
        }
        let mut replies = Replies { option, out };
        if self.needs_tls_first() && ![opt::STARTTLS, opt::ABORT].contains(&option) {
            replies.refuse(rep::ERR_TLS_REQD, "this server is only served over TLS");
            return Ok(Next::Continue);
        }
        Ok(match option {
            opt::ABORT => {
                replies.ack();
                Next::Close
            }
            opt::STARTTLS => self.start_tls(data, &mut replies),
            opt::INFO | opt::GO => self.info_or_go(data, &mut replies),
            _ => {
                self.plain_option(data, &mut replies);
                Next::Continue
            }
        })
    }

    /// Options that only answer and set.
    fn plain_option(&mut self, data: &[u8], replies: &mut Replies<'_>) {
        match replies.option {
            opt::LIST | opt::STRUCTURED_REPLY if !data.is_empty() => {
                replies.refuse(rep::ERR_INVALID, "this option takes no data");
            }
            opt::LIST => {
                self.exports.list().iter().for_each(|export| replies.server(export));
                replies.ack();
            }
            opt::STRUCTURED_REPLY => {
                self.chosen.structured = true;
                replies.ack();
            }
            opt::LIST_META_CONTEXT => self.list_meta_context(data, replies),
            opt::SET_META_CONTEXT => self.set_meta_context(data, replies),
            _ => replies.refuse(rep::ERR_UNSUP, "unknown option"),
        }
    }

    fn needs_tls_first(&self) -> bool {
        self.tls == TlsMode::Required && !self.secure
    }

    fn start_tls(&self, data: &[u8], replies: &mut Replies<'_>) -> Next {
        match self.tls {
            TlsMode::None => replies.refuse(rep::ERR_POLICY, "this server has no TLS"),
            _ if self.secure => replies.refuse(rep::ERR_INVALID, "TLS is already in use"),
            _ if !data.is_empty() => replies.refuse(rep::ERR_INVALID, "this option takes no data"),
            TlsMode::Optional | TlsMode::Required => {
                replies.ack();
                return Next::StartTls;
            }
        }
        Next::Continue
    }

    /// `NBD_OPT_EXPORT_NAME`: its answer has no room for an error.
    fn export_name(&self, data: &[u8], out: &mut Vec<u8>) -> Result<Next, Violation> {
        let export = wire::legal_string(data).and_then(|name| self.exports.find(name));
        let export = export.filter(|_| !self.needs_tls_first()).ok_or(Violation::ExportName)?;
        out.extend_from_slice(&export.volume.geometry().len.0.to_be_bytes());
        out.extend_from_slice(&export.transmission_flags(self.chosen.structured).to_be_bytes());
        if !self.no_zeroes {
            out.extend_from_slice(&[0; EXPORT_NAME_PADDING]);
        }
        Ok(self.transmit(export))
    }

    fn info_or_go(&self, data: &[u8], replies: &mut Replies<'_>) -> Next {
        let Some(request) = InfoRequest::parse(data) else {
            replies.refuse(rep::ERR_INVALID, "the lengths inside the option do not add up");
            return Next::Continue;
        };
        let Some(export) = self.exports.find(request.export) else {
            replies.refuse(rep::ERR_UNKNOWN, "no export has this name");
            return Next::Continue;
        };
        replies.info_export(&export, self.chosen.structured);
        for wanted in [info::NAME, info::DESCRIPTION, info::BLOCK_SIZE] {
            if request.wanted.contains(&wanted) {
                replies.info_wanted(wanted, &export);
            }
        }
        replies.ack();
        if replies.option == opt::GO { self.transmit(export) } else { Next::Continue }
    }

    fn list_meta_context(&self, data: &[u8], replies: &mut Replies<'_>) {
        let Some((_, request)) = self.meta_request(data, replies) else { return };
        if request.queries.is_empty() || request.queries.iter().any(|query| [ALLOCATION, BASE_WILDCARD].contains(query))
        {
            replies.meta_context(0, ALLOCATION);
        }
        replies.ack();
    }

    fn set_meta_context(&mut self, data: &[u8], replies: &mut Replies<'_>) {
        self.chosen.allocation_of = None;
        if !self.chosen.structured {
            return replies.refuse(rep::ERR_INVALID, "negotiate structured replies first");
        }
        let Some((name, request)) = self.meta_request(data, replies) else { return };
        if request.queries.contains(&ALLOCATION) {
            replies.meta_context(ALLOCATION_CONTEXT, ALLOCATION);
            self.chosen.allocation_of = Some(name);
        }
        replies.ack();
    }

    /// The option's data and the export it is about; what is wrong with it has been answered when there is none.
    fn meta_request<'a>(&self, data: &'a [u8], replies: &mut Replies<'_>) -> Option<(String, MetaRequest<'a>)> {
        let request =
            MetaRequest::parse(data).filter(|request| request.queries.iter().all(|query| query.contains(':')));
        let Some(request) = request else {
            replies
                .refuse(rep::ERR_INVALID, "the lengths inside the option do not add up, or a query has no namespace");
            return None;
        };
        let Some(export) = self.exports.find(request.export) else {
            replies.refuse(rep::ERR_UNKNOWN, "no export has this name");
            return None;
        };
        Some((export.name, request))
    }

    fn transmit(&self, export: Export) -> Next {
        let session = Session {
            geometry: export.volume.geometry(),
            strict_alignment: export.volume.is_strict(),
            structured: self.chosen.structured,
            block_status: self.chosen.allocation_of.as_deref() == Some(&*export.name),
        };
        Next::Transmit(export, session)
    }
}
