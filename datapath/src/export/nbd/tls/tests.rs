//! Our sessions against rustls as the client, in memory.

use std::io::{Read, Write};
use std::sync::Arc;

use proptest::prelude::*;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ConnectionTrafficSecrets;
use rustls::crypto::cipher::{AeadKey, Iv};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, ServerConfig, SupportedCipherSuite};

use super::record::{Content, HEADER, Protection, length};
use super::{RecordError, Session, TlsFault};
use crate::ring::Message;

struct Pair {
    client: ClientConnection,
    server: Session,
    /// How many bytes the server is given at a time.
    piece: usize,
}

impl Pair {
    /// A client and a session that have agreed on a suite.
    fn new(suite: SupportedCipherSuite, piece: usize) -> Self {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let provider = Arc::new(rustls::crypto::CryptoProvider {
            cipher_suites: vec![suite],
            ..rustls::crypto::ring::default_provider()
        });
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let client = client.unwrap().with_root_certificates(roots).with_no_client_auth();
        let server = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let mut server = server.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
        server.enable_secret_extraction = true;
        let name = ServerName::try_from("localhost").unwrap();
        let mut pair = Self {
            client: ClientConnection::new(Arc::new(client), name).unwrap(),
            server: Session::new(Arc::new(server)).unwrap(),
            piece,
        };
        while pair.client.is_handshaking() || !pair.server.is_open() {
            assert_eq!(pair.hear().unwrap(), b"");
            assert_eq!(pair.tell(&[]), b"");
        }
        pair
    }

    /// What the client has to send, as it travels.
    fn spoken(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.client.wants_write() {
            self.client.write_tls(&mut bytes).unwrap();
        }
        bytes
    }

    /// Takes what the client has to send to the server; the data in it.
    fn hear(&mut self) -> Result<Vec<u8>, TlsFault> {
        let bytes = self.spoken();
        self.give(&bytes)
    }

    fn give(&mut self, bytes: &[u8]) -> Result<Vec<u8>, TlsFault> {
        let mut data = Vec::new();
        for piece in bytes.chunks(self.piece) {
            let mut piece = piece.to_vec();
            let mut rest = &mut piece[..];
            // Now and then it takes only a part.
            while !self.server.receive(&mut rest, |offered| {
                let taken = offered.len().div_ceil(2);
                data.extend_from_slice(&offered[..taken]);
                *offered = &offered[taken..];
                Ok::<_, TlsFault>(())
            })? {}
        }
        Ok(data)
    }

    /// Takes `texts` and what the session has to send to the client; the data that it reads.
    fn tell(&mut self, texts: &[&[u8]]) -> Vec<u8> {
        let mut message = Message::default();
        texts.iter().for_each(|text| message.text(text));
        self.server.wrap(&mut message).unwrap();
        let mut data = Vec::new();
        message.for_each_left(|mut bytes| {
            while !bytes.is_empty() {
                self.client.read_tls(&mut bytes).unwrap();
                self.client.process_new_packets().unwrap();
                let mut all = vec![0; 64 << 10];
                if let Ok(len) = self.client.reader().read(&mut all) {
                    data.extend_from_slice(&all[..len]);
                }
            }
        });
        data
    }
}

fn suites() -> Vec<SupportedCipherSuite> {
    rustls::crypto::ring::default_provider().cipher_suites.into_iter().filter(has_ecdsa).collect()
}

/// The certificate made here has an ECDSA key.
fn has_ecdsa(suite: &SupportedCipherSuite) -> bool {
    !format!("{suite:?}").contains("_RSA_")
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect()
}

#[test]
fn data_of_every_length_goes_both_ways_in_every_suite_however_it_is_cut() {
    let suites = suites();
    assert!(suites.iter().any(|suite| suite.version().version == ProtocolVersion::TLSv1_2));
    assert!(suites.len() >= 6, "AES-128-GCM, AES-256-GCM and ChaCha20-Poly1305 in two versions");
    for (suite, piece) in suites.into_iter().flat_map(|suite| [1, 7, 5000, 1 << 20].map(|piece| (suite, piece))) {
        let mut pair = Pair::new(suite, piece);
        for len in [0, 1, 2047, 2048, 16_383, 16_384, 16_385, 40_000] {
            let data = pattern(len);
            pair.client.writer().write_all(&data).unwrap();
            assert!(pair.hear().unwrap() == data, "{suite:?} {piece} {len}");
            let (first, second) = data.split_at(len / 3);
            assert!(pair.tell(&[first, second]) == data, "{suite:?} {piece} {len}");
        }
    }
}

#[test]
fn keys_are_updated_by_either_side() {
    for suite in suites().into_iter().filter(|suite| suite.version().version == ProtocolVersion::TLSv1_3) {
        let mut pair = Pair::new(suite, 4096);
        for round in 0..5 {
            pair.client.refresh_traffic_keys().unwrap();
            pair.client.writer().write_all(&pattern(20_000)).unwrap();
            assert!(pair.hear().unwrap() == pattern(20_000), "{round}");
            // In tests a key of ours protects 64 records.
            for _ in 0..50 {
                assert!(pair.tell(&[&pattern(20_000)]) == pattern(20_000), "{round}");
            }
        }
    }
}

#[test]
fn a_key_that_cannot_be_changed_ends_the_session_when_it_is_used_up() {
    let suite = suites().into_iter().find(|suite| suite.version().version == ProtocolVersion::TLSv1_2).unwrap();
    let mut pair = Pair::new(suite, 4096);
    let mut message = Message::default();
    message.text(&vec![0; 70 * (16 << 10)]);
    assert!(matches!(pair.server.wrap(&mut message), Err(TlsFault::Record(RecordError::Exhausted))));
}

#[test]
fn what_was_tampered_with_is_refused_and_the_peer_is_told() {
    for suite in suites() {
        for at in [0, 3, 5, 12, 14, 40] {
            let mut pair = Pair::new(suite, 1 << 20);
            pair.client.writer().write_all(&pattern(100)).unwrap();
            let mut bytes = pair.spoken();
            bytes[at] ^= 0x20;
            // A length that promises more than came is waited for.
            let promised = usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
            match pair.give(&bytes) {
                Ok(data) => assert!(data.is_empty() && promised > bytes.len(), "{suite:?} {at}"),
                Err(TlsFault::Record(_)) => {
                    assert!(pair.server.wants_to_send(), "{suite:?} {at}: an alert");
                    assert!(pair.give(b"anything").unwrap().is_empty(), "nothing more is read");
                }
                Err(fault) => panic!("{fault}"),
            }
        }
    }
}

#[test]
fn a_record_that_comes_twice_is_refused() {
    for suite in suites() {
        let mut pair = Pair::new(suite, 1 << 20);
        pair.client.writer().write_all(b"once").unwrap();
        let bytes = pair.spoken();
        assert_eq!(pair.give(&bytes).unwrap(), b"once");
        assert!(matches!(pair.give(&bytes), Err(TlsFault::Record(RecordError::Damaged))));
    }
}

#[test]
fn goodbyes_are_said_and_understood() {
    for suite in suites() {
        let mut pair = Pair::new(suite, 1 << 20);
        pair.client.writer().write_all(b"last").unwrap();
        pair.client.send_close_notify();
        assert_eq!(pair.hear().unwrap(), b"last");
        assert_eq!(pair.give(&[0; 64]).unwrap(), b"", "what follows the goodbye is not looked at");
        pair.server.close();
        assert_eq!(pair.tell(&[]), b"");
        assert_eq!(pair.client.reader().read(&mut [0]).unwrap(), 0, "closed, not cut");
    }
}

#[test]
fn a_flood_of_key_updates_ends_the_session() {
    let suite = suites().into_iter().find(|suite| suite.version().version == ProtocolVersion::TLSv1_3).unwrap();
    let mut pair = Pair::new(suite, 1 << 20);
    for _ in 0..40 {
        pair.client.refresh_traffic_keys().unwrap();
    }
    assert!(matches!(pair.hear(), Err(TlsFault::Record(RecordError::Unexpected))));
}

#[test]
fn what_is_no_tls_is_refused_at_its_first_bytes() {
    let suite = suites().remove(0);
    let mut pair = Pair::new(suite, 1 << 20);
    assert!(matches!(pair.give(b"GET / HTTP/1.1\r\n"), Err(TlsFault::Record(RecordError::Unexpected))));
    let mut pair = Pair::new(suite, 1 << 20);
    assert!(matches!(pair.give(&[23, 3, 3, 0xff, 0xff]), Err(TlsFault::Record(RecordError::Overflow))));
}

/// Both ends of one direction.
fn ends(version: ProtocolVersion, chacha: bool) -> [Protection; 2] {
    let make = || {
        let (key, iv) = (AeadKey::from([7; 32]), Iv::new([9; 12]));
        let secrets = match chacha {
            true => ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv },
            false => ConnectionTrafficSecrets::Aes256Gcm { key, iv },
        };
        Protection::new(version, &(0, secrets)).unwrap()
    };
    [make(), make()]
}

fn version() -> impl Strategy<Value = ProtocolVersion> {
    prop_oneof![Just(ProtocolVersion::TLSv1_2), Just(ProtocolVersion::TLSv1_3)]
}

proptest! {
    /// A peer that knows the key may still seal what no honest one would.
    #[test]
    fn what_a_peer_seals_opens_as_that_or_is_too_long(
        version in version(), chacha: bool, content in 1_u8.., len in 0..20_000_usize, padding in 0..300_usize,
    ) {
        let [mut peer, mut ours] = ends(version, chacha);
        for _ in 0..2 {
            let mut record = Vec::new();
            let start = peer.begin(&mut record);
            record.extend(pattern(len));
            if version == ProtocolVersion::TLSv1_3 && padding > 0 {
                record.push(content);
                record.resize(record.len() + padding - 1, 0);
                peer.seal(Content(0), &mut record, start).unwrap();
            } else {
                peer.seal(Content(content), &mut record, start).unwrap();
            }
            let whole = length(&record);
            prop_assert!(whole == Ok(Some(record.len())) || whole == Err(RecordError::Overflow));
            match ours.open(&mut record) {
                Ok((opened, range)) => {
                    prop_assert_eq!((opened, &record[range]), (Content(content), &pattern(len)[..]));
                }
                Err(error) => prop_assert_eq!((error, len > 1 << 14), (RecordError::Overflow, true)),
            }
        }
    }

    #[test]
    fn a_record_with_any_bit_turned_or_its_end_missing_is_damaged(
        version in version(), chacha: bool, len in 0..100_usize, at: prop::sample::Index, bit in 0..8_u8, cut: bool,
    ) {
        let [mut peer, mut ours] = ends(version, chacha);
        let mut record = Vec::new();
        let start = peer.begin(&mut record);
        record.extend(pattern(len));
        peer.seal(Content::DATA, &mut record, start).unwrap();
        let at = HEADER + at.index(record.len() - HEADER);
        if cut { record.truncate(at) } else { record[at] ^= 1 << bit }
        prop_assert_eq!(ours.open(&mut record), Err(RecordError::Damaged));
    }

    #[test]
    fn bytes_that_nobody_sealed_are_no_record(version in version(), chacha: bool, mut bytes: Vec<u8>) {
        let whole = length(&bytes);
        prop_assert!(whole.is_err() || whole.unwrap().is_none_or(|len| len <= HEADER + (1 << 14) + 2048));
        prop_assert!(ends(version, chacha)[0].open(&mut bytes).is_err());
    }
}
