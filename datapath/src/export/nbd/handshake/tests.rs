//! The negotiation, given whole conversations in pieces of every size.

use proptest::prelude::*;

use super::*;
use crate::export::nbd::test_disk::two_exports;
use crate::export::nbd::wire::{opt, rep};

const FIXED: u32 = 1;
const FIXED_NO_ZEROES: u32 = 3;

/// How a conversation ended, and everything the server sent.
#[derive(Debug, PartialEq)]
struct Talk {
    out: Vec<u8>,
    end: End,
}

#[derive(Debug, PartialEq)]
enum End {
    WantsMore,
    Transmit(String, Session),
    Close,
    Violation(Violation),
}

/// Gives `input` to a new machine in pieces of at most `piece` bytes; TLS starts by magic.
fn talk(tls: TlsMode, mut input: &[u8], piece: usize) -> Talk {
    let mut machine = Handshake::new(two_exports(), tls);
    let mut out = Vec::new();
    while !input.is_empty() {
        let space = machine.space();
        assert!(!space.is_empty() && space.len() <= MAX_OPTION_LEN as usize);
        let len = space.len().min(piece).min(input.len());
        space[..len].copy_from_slice(&input[..len]);
        input = &input[len..];
        let end = match machine.advance(len, &mut out) {
            Ok(Next::Continue) => continue,
            Ok(Next::StartTls) => {
                machine.secured();
                continue;
            }
            Ok(Next::Transmit(export, session)) => End::Transmit(export.name, session),
            Ok(Next::Close) => End::Close,
            Err(violation) => End::Violation(violation),
        };
        assert!(machine.space().is_empty(), "a machine that is over wants nothing");
        return Talk { out, end };
    }
    Talk { out, end: End::WantsMore }
}

fn option(code: u32, data: &[u8]) -> Vec<u8> {
    let len = u32::try_from(data.len()).unwrap();
    [&wire::OPTION_MAGIC.to_be_bytes()[..], &code.to_be_bytes(), &len.to_be_bytes(), data].concat()
}

fn client(flags: u32, options: &[Vec<u8>]) -> Vec<u8> {
    [&flags.to_be_bytes()[..], &options.concat()].concat()
}

fn string(text: &str) -> Vec<u8> {
    [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat()
}

fn info_data(name: &str, wanted: &[u16]) -> Vec<u8> {
    let count = u16::try_from(wanted.len()).unwrap().to_be_bytes();
    let wanted: Vec<u8> = wanted.iter().flat_map(|kind| kind.to_be_bytes()).collect();
    [&string(name)[..], &count, &wanted].concat()
}

fn meta_data(name: &str, queries: &[&str]) -> Vec<u8> {
    let count = u32::try_from(queries.len()).unwrap().to_be_bytes();
    let queries: Vec<u8> = queries.iter().flat_map(|query| string(query)).collect();
    [&string(name)[..], &count, &queries].concat()
}

/// The replies in `out` as (option, code, data), which must be nothing but replies.
fn replies(mut out: &[u8]) -> Vec<(u32, u32, Vec<u8>)> {
    let mut replies = Vec::new();
    while !out.is_empty() {
        let word = |at: usize| u32::from_be_bytes(out[at..at + 4].try_into().unwrap());
        assert_eq!(out[..8], wire::OPTION_REPLY_MAGIC.to_be_bytes());
        let end = 20 + word(16) as usize;
        replies.push((word(8), word(12), out[20..end].to_vec()));
        out = &out[end..];
    }
    replies
}

fn codes(talk: &Talk) -> Vec<u32> {
    replies(&talk.out).into_iter().map(|(_, code, _)| code).collect()
}

fn plain(options: &[Vec<u8>]) -> Talk {
    talk(TlsMode::None, &client(FIXED_NO_ZEROES, options), usize::MAX)
}

fn session_of(talk: Talk) -> (String, Session) {
    match talk.end {
        End::Transmit(name, session) => (name, session),
        other => panic!("no transmission: {other:?}"),
    }
}

#[test]
fn the_greeting_offers_fixed_newstyle_and_no_zeroes() {
    assert_eq!(&Handshake::greeting(), b"NBDMAGICIHAVEOPT\x00\x03");
}

#[test]
fn go_answers_size_flags_and_block_sizes_and_enters_transmission() {
    let talk = plain(&[option(opt::STRUCTURED_REPLY, &[]), option(opt::GO, &info_data("second", &[3, 1, 2, 999]))]);
    let replies = replies(&talk.out);
    let info = |kind: u16, payload: &[u8]| (opt::GO, rep::INFO, [&kind.to_be_bytes()[..], payload].concat());
    assert_eq!(replies[0], (opt::STRUCTURED_REPLY, rep::ACK, vec![]));
    assert_eq!(replies[1], info(0, &[0, 0, 0, 0, 0, 0x20, 0, 0, 0b1101, 0b1110_1101]));
    assert_eq!(replies[2], info(1, b"second"));
    assert_eq!(replies[3], info(2, b"the disk second"));
    assert_eq!(replies[4], info(3, &[0, 0, 0, 1, 0, 0, 16, 0, 2, 0, 0, 0]));
    assert_eq!(replies[5], (opt::GO, rep::ACK, vec![]));
    let (name, session) = session_of(talk);
    assert_eq!((name.as_str(), session.structured, session.block_status), ("second", true, false));
}

#[test]
fn info_answers_and_stays_in_the_negotiation() {
    let talk = plain(&[option(opt::INFO, &info_data("first", &[])), option(opt::INFO, &info_data("nowhere", &[]))]);
    assert_eq!(codes(&talk), [rep::INFO, rep::ACK, rep::ERR_UNKNOWN]);
    assert_eq!(talk.end, End::WantsMore);
}

#[test]
fn export_name_sends_zeroes_only_to_clients_that_did_not_decline_them() {
    for (flags, len) in [(0, 134), (FIXED, 134), (FIXED_NO_ZEROES, 10)] {
        let talk = talk(TlsMode::None, &client(flags, &[option(opt::EXPORT_NAME, b"first")]), usize::MAX);
        assert_eq!(talk.out.len(), len);
        assert_eq!(talk.out[..8], (1_u64 << 20).to_be_bytes());
        assert_eq!(session_of(talk).0, "first");
    }
}

#[test]
fn export_name_that_cannot_be_served_drops_the_connection() {
    for (tls, name) in [(TlsMode::None, &b"nowhere"[..]), (TlsMode::None, b"\xff"), (TlsMode::Required, b"first")] {
        let talk = talk(tls, &client(FIXED, &[option(opt::EXPORT_NAME, name)]), usize::MAX);
        assert_eq!(talk, Talk { out: vec![], end: End::Violation(Violation::ExportName) });
    }
}

#[test]
fn the_empty_name_is_the_first_export() {
    let talk = plain(&[option(opt::GO, &info_data("", &[1]))]);
    assert_eq!(replies(&talk.out)[1].2, b"\0\x01first");
    assert_eq!(session_of(talk).0, "first");
}

#[test]
fn list_names_every_export() {
    let talk = plain(&[option(opt::LIST, &[]), option(opt::LIST, b"x")]);
    let replies = replies(&talk.out);
    assert_eq!(replies[0], (opt::LIST, rep::SERVER, b"\0\0\0\x05firstthe disk first".to_vec()));
    assert_eq!(codes(&talk), [rep::SERVER, rep::SERVER, rep::ACK, rep::ERR_INVALID]);
}

#[test]
fn abort_is_acknowledged_and_closes_even_with_data() {
    let talk = plain(&[option(opt::ABORT, b"ignored")]);
    assert_eq!((codes(&talk), talk.end), (vec![rep::ACK], End::Close));
}

#[test]
fn unknown_options_are_unsupported_and_the_next_one_is_understood() {
    // 4 is the withdrawn PEEK_EXPORT, 11 is EXTENDED_HEADERS.
    let talk = plain(&[option(4, b"data"), option(11, &[]), option(u32::MAX, &[7; 999]), option(opt::LIST, &[])]);
    assert_eq!(codes(&talk)[..3], [rep::ERR_UNSUP; 3]);
    assert_eq!(codes(&talk).last(), Some(&rep::ACK));
}

#[test]
fn a_meta_context_is_listed_by_its_name_by_the_wildcard_and_by_no_query() {
    for (queries, found) in [
        (&[][..], true),
        (&["base:allocation"][..], true),
        (&["base:"], true),
        (&["qemu:dirty-bitmap:x", "base:"], true),
        (&["base:other"], false),
        (&["x-unknown:"], false),
    ] {
        let talk = plain(&[option(opt::LIST_META_CONTEXT, &meta_data("first", queries))]);
        let expected = if found { vec![rep::META_CONTEXT, rep::ACK] } else { vec![rep::ACK] };
        assert_eq!(codes(&talk), expected, "{queries:?}");
    }
}

#[test]
fn a_meta_context_is_selected_by_its_name_only_and_for_one_export_only() {
    let structured = option(opt::STRUCTURED_REPLY, &[]);
    for (export, queries, selected) in [
        ("first", &["base:allocation"][..], true),
        ("", &["base:allocation"], true),
        ("second", &["base:allocation"], false),
        ("first", &["base:"], false),
        ("first", &[], false),
    ] {
        let set = option(opt::SET_META_CONTEXT, &meta_data(export, queries));
        let talk = plain(&[structured.clone(), set, option(opt::GO, &info_data("first", &[]))]);
        assert_eq!(session_of(talk).1.block_status, selected, "{export} {queries:?}");
    }
}

#[test]
fn a_failed_selection_drops_the_earlier_one() {
    let set = |name| option(opt::SET_META_CONTEXT, &meta_data(name, &["base:allocation"]));
    let go = option(opt::GO, &info_data("first", &[]));
    let talk = plain(&[option(opt::STRUCTURED_REPLY, &[]), set("first"), set("nowhere"), go]);
    assert_eq!(codes(&talk)[3], rep::ERR_UNKNOWN);
    assert!(!session_of(talk).1.block_status);
}

#[test]
fn selecting_a_meta_context_without_structured_replies_is_invalid() {
    let talk = plain(&[option(opt::SET_META_CONTEXT, &meta_data("first", &["base:allocation"]))]);
    assert_eq!(codes(&talk), [rep::ERR_INVALID]);
}

#[test]
fn lengths_that_do_not_add_up_are_invalid() {
    let mut bad = vec![vec![], vec![0; 3], string("first"), [info_data("first", &[1]), vec![0]].concat()];
    bad.push([&u32::MAX.to_be_bytes()[..], b"first"].concat());
    bad.push([&string("first")[..], &[0, 9]].concat());
    bad.push([&string("a\0b")[..], &[0, 0]].concat());
    for data in &bad {
        for code in [opt::INFO, opt::GO] {
            assert_eq!(codes(&plain(&[option(code, data)])), [rep::ERR_INVALID], "{data:?}");
        }
    }
    let false_count = [&string("first")[..], &u32::MAX.to_be_bytes()].concat();
    let no_namespace = meta_data("first", &["allocation"]);
    for data in [vec![], false_count, no_namespace] {
        assert_eq!(codes(&plain(&[option(opt::LIST_META_CONTEXT, &data)])), [rep::ERR_INVALID], "{data:?}");
    }
}

#[test]
fn without_tls_an_upgrade_is_refused_by_policy() {
    assert_eq!(codes(&plain(&[option(opt::STARTTLS, &[])])), [rep::ERR_POLICY]);
}

#[test]
fn required_tls_serves_nothing_but_the_upgrade_before_it() {
    let before = [opt::LIST, opt::INFO, opt::GO, opt::STRUCTURED_REPLY, opt::SET_META_CONTEXT, 4711];
    let before: Vec<_> = before.map(|code| option(code, &info_data("first", &[]))).into();
    let talk = talk(TlsMode::Required, &client(FIXED, &before), usize::MAX);
    assert_eq!(codes(&talk), [rep::ERR_TLS_REQD; 6]);
}

#[test]
fn an_upgrade_forgets_what_was_negotiated_before_it() {
    for tls in [TlsMode::Optional, TlsMode::Required] {
        let options = [
            option(opt::STRUCTURED_REPLY, &[]),
            option(opt::STARTTLS, b"data"),
            option(opt::STARTTLS, &[]),
            option(opt::STARTTLS, &[]),
            option(opt::GO, &info_data("first", &[])),
        ];
        let talk = talk(tls, &client(FIXED, &options), usize::MAX);
        let first = if tls == TlsMode::Optional { rep::ACK } else { rep::ERR_TLS_REQD };
        assert_eq!(codes(&talk), [first, rep::ERR_INVALID, rep::ACK, rep::ERR_INVALID, rep::INFO, rep::ACK]);
        assert!(!session_of(talk).1.structured);
    }
}

#[test]
fn what_has_no_polite_answer_is_a_violation() {
    let end = |input: &[u8]| talk(TlsMode::None, input, usize::MAX).end;
    assert_eq!(end(&client(4, &[])), End::Violation(Violation::ClientFlags(4)));
    assert_eq!(end(&client(0, &[option(opt::LIST, &[])])), End::Violation(Violation::NotFixedNewstyle(opt::LIST)));
    assert_eq!(
        end(&client(FIXED, &[b"GET / HTTP/1.1\r\n".to_vec()])),
        End::Violation(Violation::OptionMagic(u64::from_be_bytes(*b"GET / HT")))
    );
    let mut long = option(opt::LIST, &[]);
    long[12..].copy_from_slice(&(MAX_OPTION_LEN + 1).to_be_bytes());
    assert_eq!(end(&client(FIXED, &[long])), End::Violation(Violation::OptionTooLong(MAX_OPTION_LEN + 1)));
    let many = vec![option(opt::STRUCTURED_REPLY, &[]); MAX_OPTIONS as usize + 1];
    assert_eq!(end(&client(FIXED, &many)), End::Violation(Violation::TooManyOptions));
}

/// Options that mean something, something broken, or nothing.
fn any_option() -> impl Strategy<Value = Vec<u8>> {
    let name = || prop_oneof!["first", "second", "", "[a-z]{1,9}"];
    let query = prop_oneof!["base:", "base:allocation", "x-[a-z]{1,5}:[a-z]{0,5}", "[a-z]{0,5}"];
    let info = (name(), proptest::collection::vec(0_u16..6, 0..5)).prop_map(|(name, wanted)| info_data(&name, &wanted));
    let meta = (name(), proptest::collection::vec(query, 0..4))
        .prop_map(|(name, queries)| meta_data(&name, &queries.iter().map(String::as_str).collect::<Vec<_>>()));
    let noise = proptest::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        (prop_oneof![Just(opt::INFO), Just(opt::GO)], info).prop_map(|(code, data)| option(code, &data)),
        (9_u32..11, meta).prop_map(|(code, data)| option(code, &data)),
        (3_u32..12).prop_map(|code| option(code, &[])),
        (0_u32..14, noise).prop_map(|(code, data)| option(code, &data)),
    ]
}

fn any_tls() -> impl Strategy<Value = TlsMode> {
    prop_oneof![Just(TlsMode::None), Just(TlsMode::Optional), Just(TlsMode::Required)]
}

proptest! {
    #[test]
    fn a_conversation_goes_the_same_way_however_it_is_split(
        tls in any_tls(), flags in 0_u32..4, options in proptest::collection::vec(any_option(), 0..8), piece in 1_usize..40,
    ) {
        let input = client(flags, &options);
        prop_assert_eq!(talk(tls, &input, piece), talk(tls, &input, usize::MAX));
    }

    #[test]
    fn noise_never_panics_and_never_asks_for_more_than_an_option(
        tls in any_tls(), noise in proptest::collection::vec(any::<u8>(), 0..300), framed: bool,
    ) {
        let input = if framed { client(FIXED, &[option(opt::GO, &noise), noise]) } else { noise };
        talk(tls, &input, usize::MAX);
    }
}
