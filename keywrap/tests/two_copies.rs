//! The recovery table, exhaustively: every state of the primary with every state of the secondary.

mod support;

use keywrap::luks2::binary::CopyId;
use keywrap::luks2::select::{Copies, Refusal, Row};
use keywrap::luks2::store::{Store, StoreError};
use support::{Memory, SIZE, VOLUME_LEN, copy, healthy_binary, healthy_json, reseal};

/// What the place of one copy may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Zeroed,
    OtherContents,
    Luks1,
    FutureVersion,
    BadSize,
    BadOffset,
    BadUuid,
    UnknownChecksum,
    BadChecksum,
    Torn,
    BadJson,
    IllegalJson,
    Valid { seqid: u64 },
    OtherContent { seqid: u64 },
    OtherVolume { seqid: u64 },
}

use State::{
    BadChecksum, BadJson, BadOffset, BadSize, BadUuid, FutureVersion, IllegalJson, Luks1, OtherContent, OtherContents,
    OtherVolume, Torn, UnknownChecksum, Valid, Zeroed,
};

const STATES: [State; 19] = [
    Zeroed,
    OtherContents,
    Luks1,
    FutureVersion,
    BadSize,
    BadOffset,
    BadUuid,
    UnknownChecksum,
    BadChecksum,
    Torn,
    BadJson,
    IllegalJson,
    Valid { seqid: 4 },
    Valid { seqid: 5 },
    Valid { seqid: u64::MAX },
    OtherContent { seqid: 4 },
    OtherContent { seqid: 5 },
    OtherVolume { seqid: 5 },
    OtherVolume { seqid: 6 },
];

impl State {
    fn is_valid(self) -> bool {
        self.seqid().is_some()
    }

    fn seqid(self) -> Option<u64> {
        match self {
            Valid { seqid } | OtherContent { seqid } | OtherVolume { seqid } => Some(seqid),
            _ => None,
        }
    }

    fn has_magic(self) -> bool {
        !matches!(self, Zeroed | OtherContents)
    }

    fn bytes(self, id: CopyId) -> Vec<u8> {
        let mut document = healthy_json();
        if matches!(self, OtherContent { .. }) {
            document["config"]["flags"] = serde_json::json!(["allow-discards"]);
        }
        if self == IllegalJson {
            document["keyslots"]["0"]["key_size"] = 0.into();
        }
        let mut binary = healthy_binary(self.seqid().unwrap_or(5));
        if matches!(self, OtherVolume { .. }) {
            binary.uuid = uuid::Uuid::from_u128(1).into();
        }
        let text = if self == BadJson { "{".to_owned() } else { document.to_string() };
        let mut bytes = copy(&binary, id, text.as_bytes());
        self.spoil(&mut bytes);
        bytes
    }

    fn spoil(self, bytes: &mut [u8]) {
        match self {
            Zeroed => bytes.fill(0),
            OtherContents => bytes.fill(0x55),
            Luks1 => bytes[7] = 1,
            FutureVersion => bytes[7] = 3,
            BadSize => bytes[15] = 1,
            BadOffset => bytes[262] = 1,
            BadUuid => bytes[168] = b'x',
            UnknownChecksum => bytes[72] = b'm',
            _ => {}
        }
        if self != Zeroed && self != OtherContents {
            reseal(bytes);
        }
        match self {
            BadChecksum => bytes[460] ^= 1,
            Torn => bytes[4096..].fill(0),
            _ => {}
        }
    }
}

fn medium(primary: State, secondary: State) -> Memory {
    let mut bytes = [primary.bytes(CopyId::Primary), secondary.bytes(CopyId::Secondary)].concat();
    bytes.resize(VOLUME_LEN, 0);
    Memory::new(bytes)
}

/// The table as the documentation has it, written a second time and differently.
fn expected(primary: State, secondary: State) -> Result<Row, &'static str> {
    match (primary.is_valid(), secondary.is_valid()) {
        (true, false) => Ok(Row::SecondaryLost),
        (true, true) if matches!(primary, OtherVolume { .. }) != matches!(secondary, OtherVolume { .. }) => {
            Err("strangers")
        }
        (true, true) if primary.seqid() > secondary.seqid() => Ok(Row::SecondaryStale),
        (true, true) if primary.seqid() < secondary.seqid() => Ok(Row::PrimaryStale),
        (true, true) if primary == secondary => Ok(Row::Twins),
        (true, true) => Ok(Row::Diverged),
        (false, _) if matches!(primary, Luks1 | FutureVersion) => Err("other version"),
        (false, true) if !primary.has_magic() => Ok(Row::PrimaryOverwritten),
        (false, true) => Ok(Row::PrimaryDamaged),
        (false, false) if !primary.has_magic() && !secondary.has_magic() => Err("not LUKS"),
        (false, false) => Err("both damaged"),
    }
}

fn label(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NotLuks => "not LUKS",
        Refusal::OtherVersion(_) => "other version",
        Refusal::BothDamaged { .. } => "both damaged",
        Refusal::Strangers { .. } => "strangers",
    }
}

/// Every pair of states.
fn pairs() -> impl Iterator<Item = (State, State)> {
    STATES.into_iter().flat_map(|primary| STATES.into_iter().map(move |secondary| (primary, secondary)))
}

#[test]
fn every_pair_of_copies_takes_its_row_of_the_table() {
    for (primary, secondary) in pairs() {
        let found = Copies::read(&medium(primary, secondary)).decide();
        let found = found.as_ref().map_err(label);
        assert_eq!(found, expected(primary, secondary).as_ref().map_err(|label| *label), "{primary:?} {secondary:?}");
    }
}

#[test]
fn the_copy_that_counts_is_the_valid_one_with_the_highest_sequence_number() {
    for (primary, secondary) in pairs() {
        if let Ok((header, row)) = Copies::read(&medium(primary, secondary)).choose() {
            let seqids = [primary, secondary].map(State::seqid);
            assert_eq!(Some(header.seqid), seqids.into_iter().flatten().max(), "{primary:?} {secondary:?} {row:?}");
        }
    }
}

#[test]
fn every_pair_that_opens_is_whole_after_a_repair_and_after_a_change() {
    for (primary, secondary) in pairs() {
        let medium = medium(primary, secondary);
        let Ok(mut store) = Store::open(&medium) else { continue };
        let (row, before) = (store.row(), store.header().clone());
        let commit = store.commit(before.metadata.clone());
        match row {
            _ if before.seqid == u64::MAX => assert!(matches!(commit, Err(StoreError::SeqidExhausted))),
            Row::PrimaryOverwritten => {
                assert!(matches!(commit, Err(StoreError::PrimaryOverwritten)));
                assert_eq!(Copies::read(&medium).decide(), Ok(row), "nothing was written");
                store.repair().unwrap();
                assert_eq!(Copies::read(&medium).choose(), Ok((before, Row::Twins)));
            }
            _ => {
                commit.unwrap();
                let (header, row) = Copies::read(&medium).choose().unwrap();
                assert_eq!((header.seqid, row), (before.seqid + 1, Row::Twins), "{primary:?} {secondary:?}");
                assert_eq!(header.metadata, before.metadata);
            }
        }
    }
}

#[test]
fn the_two_copies_never_share_a_salt_and_never_keep_one() {
    let medium = medium(Valid { seqid: 5 }, Valid { seqid: 5 });
    let mut salts = std::collections::BTreeSet::new();
    let mut store = Store::open(&medium).unwrap();
    for _ in 0..3 {
        let metadata = store.header().metadata.clone();
        store.commit(metadata).unwrap();
        let bytes = medium.0.borrow();
        salts.extend([0, SIZE.len()].map(|copy| bytes[copy + 104..copy + 168].to_vec()));
    }
    assert_eq!(salts.len(), 6);
}
