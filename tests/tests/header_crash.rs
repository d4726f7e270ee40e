//! Every verb that writes a header, cut at every write and every sync, and struck by every error at every step.
//!
//! After a cut the volume opens with the old keyslot or with the new one; a verb that was cut never says it succeeded;
//! and the same verb, called again, finishes.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail the test")]

use std::collections::BTreeSet;
use std::io;

use keywrap::keys::{KeyId, MasterKey};
use keywrap::luks2::select::{Copies, Refusal};
use keywrap::medium::Medium;
use keywrap::secret::{Secret, SecretBytes};
use keywrap::volume::{
    CreateOptions, KdfChoice, VolumeError, add_master_keyslot, add_passphrase, adopt, backup_header, create, erase,
    remove_keyslot, replace_passphrase, restore_header, rewrap, set_discards, unlock_with_master,
    unlock_with_passphrase,
};
use sear_tests::sim::{Fault, Image, SimMedium};
use uuid::Uuid;

const LEN: u64 = 3 << 20;
const OLD: &[u8] = b"an old passphrase";
const NEW: &[u8] = b"a new passphrase";
const CHEAP: KdfChoice = KdfChoice::Pbkdf2 { iterations: 1000 };

/// The id and bytes of the master key numbered `number`.
fn key(number: u8) -> (KeyId, MasterKey) {
    let id = KeyId(Uuid::from_u128(number.into()));
    (id, MasterKey(Secret::copy_from(&[number; 32]).unwrap()))
}

fn phrase(bytes: &[u8]) -> SecretBytes {
    SecretBytes::copy_from(bytes)
}

fn sound(image: &Image) -> SimMedium {
    SimMedium::new(image.clone(), Fault::None)
}

fn changed(image: &Image, change: impl FnOnce(&SimMedium)) -> Image {
    let medium = sound(image);
    change(&medium);
    medium.visible()
}

fn make(medium: &dyn Medium) -> Result<(), VolumeError> {
    let (id, master) = key(1);
    let options = CreateOptions { data_offset: 2 << 20, ..CreateOptions::default() };
    create(medium, LEN, &options, id, &master).map(drop)
}

/// A volume under master key 1.
fn volume() -> Image {
    changed(&Image::zeroed(LEN), |medium| make(medium).unwrap())
}

/// A volume under master key 1 with a passphrase too.
fn volume_with_passphrase() -> Image {
    changed(&volume(), |medium| {
        let (id, master) = key(1);
        let opened = unlock_with_master(medium, LEN, id, &master).unwrap();
        add_passphrase(medium, &opened.volume_key, &phrase(OLD), CHEAP).unwrap();
    })
}

/// Whether master key `number` opens the volume; its volume key must be the volume's.
fn opens(image: &Image, number: u8) -> bool {
    let (id, master) = key(number);
    unlock_with_master(&sound(image), LEN, id, &master).is_ok()
}

fn opens_with(image: &Image, passphrase: &[u8]) -> bool {
    unlock_with_passphrase(&sound(image), LEN, &phrase(passphrase)).is_ok()
}

type Run<'a> = &'a dyn Fn(&dyn Medium) -> Result<(), VolumeError>;
/// Says what state an image is in; the states "old" and "new" must both be seen, any other panics.
type Judge<'a> = &'a dyn Fn(&Image) -> &'static str;

/// Runs a verb with a fault at each of its steps.
fn sweep(before: &Image, run: Run<'_>, judge: Judge<'_>) {
    let counted = sound(before);
    run(&counted).unwrap();
    assert_eq!(judge(&counted.visible()), "new");
    assert_eq!(judge(before), "old");
    let mut seen = BTreeSet::new();
    for step in 0..counted.steps() {
        seen.extend(cut(before, step, run, judge));
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::Other] {
            fail(before, Fault::Error { step, kind }, run, judge);
        }
    }
    assert!(seen.is_superset(&BTreeSet::from(["old", "new"])), "{seen:?}");
    let read_only = SimMedium::new(before.clone(), Fault::ReadOnly);
    run(&read_only).unwrap_err();
    assert_eq!(&read_only.visible(), before, "nothing changes on a read-only medium");
}

/// Cuts the power in `step` and judges everything that may be left; then runs the verb again on it.
fn cut(before: &Image, step: usize, run: Run<'_>, judge: Judge<'_>) -> BTreeSet<&'static str> {
    let medium = SimMedium::new(before.clone(), Fault::PowerCut { step });
    assert!(run(&medium).is_err(), "step {step}: the verb says it succeeded");
    let mut seen = BTreeSet::new();
    for (name, image) in medium.after_power_cut() {
        let state = judge(&image);
        seen.insert(state);
        let again = sound(&image);
        let rerun = run(&again);
        let finished = judge(&again.visible());
        assert_eq!(finished, "new", "step {step}, {name}, was {state}: running again ended {:?}", rerun.err());
    }
    seen
}

/// One error in the middle: it is reported, and what is left opens too.
fn fail(before: &Image, fault: Fault, run: Run<'_>, judge: Judge<'_>) {
    let medium = SimMedium::new(before.clone(), fault);
    assert!(run(&medium).is_err(), "{fault:?}: the verb says it succeeded");
    judge(&medium.visible());
}

#[test]
fn creation_cut_anywhere_leaves_nothing_that_looks_like_a_volume_or_a_whole_one() {
    let run = |medium: &dyn Medium| match make(medium) {
        Err(VolumeError::AlreadyAVolume) => Ok(()),
        other => other,
    };
    sweep(&Image::zeroed(LEN), &run, &|image| {
        if matches!(Copies::read(&sound(image)).decide(), Err(Refusal::NotLuks)) {
            return "old";
        }
        assert!(opens(image, 1));
        "new"
    });
}

#[test]
fn adding_a_master_key_cut_anywhere_leaves_the_old_one_working() {
    let run = |medium: &dyn Medium| {
        let ((id, master), (new_id, new)) = (key(1), key(2));
        let opened = unlock_with_master(medium, LEN, id, &master)?;
        match add_master_keyslot(medium, &opened.volume_key, new_id, &new) {
            Err(VolumeError::KeyIdInUse(_)) => Ok(()),
            other => other.map(drop),
        }
    };
    sweep(&volume(), &run, &|image| {
        assert!(opens(image, 1));
        if opens(image, 2) { "new" } else { "old" }
    });
}

#[test]
fn removing_a_keyslot_cut_anywhere_leaves_the_other_one_working() {
    let before = volume_with_passphrase();
    let run = |medium: &dyn Medium| match remove_keyslot(medium, 1) {
        Err(VolumeError::NoSuchKeyslot(1)) => Ok(()),
        other => other,
    };
    sweep(&before, &run, &|image| {
        assert!(opens(image, 1));
        let header = Copies::read(&sound(image)).choose().unwrap().0;
        match (header.metadata.keyslots.contains_key(&1), opens_with(image, OLD)) {
            (true, true) => "old",
            (true, false) => "wiped, still listed",
            (false, false) => "new",
            (false, true) => panic!("a removed passphrase opens the volume"),
        }
    });
}

#[test]
fn rewrapping_cut_anywhere_opens_with_the_old_or_the_new_master_key() {
    let run = |medium: &dyn Medium| {
        let ((id, master), (new_id, new)) = (key(1), key(2));
        rewrap(medium, LEN, (id, &master), (new_id, &new)).map(drop)
    };
    sweep(&volume(), &run, &|image| match (opens(image, 1), opens(image, 2)) {
        (true, false) => "old",
        (true, true) => "both",
        (false, true) if Copies::read(&sound(image)).choose().unwrap().0.metadata.keyslots.len() == 1 => "new",
        (false, true) => "new, the old one still listed",
        (false, false) => panic!("no key opens the volume"),
    });
}

/// A kill leaves what the operating system has, which the medium may not have yet; the next process reads it and goes on, and
/// then the power fails.
#[test]
fn rewrapping_after_a_kill_builds_on_nothing_that_a_power_cut_takes_away() {
    let rewrap = |medium: &dyn Medium| {
        let ((id, master), (new_id, new)) = (key(1), key(2));
        rewrap(medium, LEN, (id, &master), (new_id, &new)).map(drop)
    };
    let before = volume();
    let steps = {
        let whole = sound(&before);
        rewrap(&whole).unwrap();
        whole.steps()
    };
    for killed in 0..steps {
        for cut in 0.. {
            let first = SimMedium::new(before.clone(), Fault::PowerCut { step: killed });
            rewrap(&first).unwrap_err();
            let second = first.after_kill(Fault::PowerCut { step: cut });
            let is_whole = rewrap(&second).is_ok();
            for (name, image) in second.after_power_cut() {
                assert!(opens(&image, 1) || opens(&image, 2), "killed in step {killed}, cut in step {cut}, {name}");
            }
            if is_whole {
                break;
            }
        }
    }
}

#[test]
fn replacing_a_passphrase_cut_anywhere_opens_with_the_old_or_the_new_one() {
    let run = |medium: &dyn Medium| {
        match replace_passphrase(medium, LEN, &phrase(OLD), &phrase(NEW), CHEAP) {
            // Cut after the new passphrase was in force: there is no old one to replace any more.
            Err(VolumeError::WrongPassphrase { .. }) if unlock_with_passphrase(medium, LEN, &phrase(NEW)).is_ok() => {
                Ok(())
            }
            other => other.map(drop),
        }
    };
    sweep(&volume_with_passphrase(), &run, &|image| {
        assert!(opens(image, 1));
        match (opens_with(image, OLD), opens_with(image, NEW)) {
            (true, false) => "old",
            (true, true) => "both",
            (false, true) => "new",
            (false, false) => panic!("no passphrase opens the volume"),
        }
    });
}

#[test]
fn adopting_cut_anywhere_leaves_the_passphrase_working() {
    let before = changed(&volume_with_passphrase(), |medium| remove_keyslot(medium, 0).unwrap());
    let run = |medium: &dyn Medium| {
        let (id, master) = key(2);
        match adopt(medium, LEN, &phrase(OLD), id, &master) {
            Err(VolumeError::KeyIdInUse(_)) => Ok(()),
            other => other.map(drop),
        }
    };
    sweep(&before, &run, &|image| {
        assert!(opens_with(image, OLD));
        if opens(image, 2) { "new" } else { "old" }
    });
}

#[test]
fn a_setting_cut_anywhere_is_the_old_or_the_new_one() {
    let run = |medium: &dyn Medium| {
        let (id, master) = key(1);
        set_discards(medium, id, &master, true)
    };
    sweep(&volume(), &run, &|image| {
        let (id, master) = key(1);
        let opened = unlock_with_master(&sound(image), LEN, id, &master).unwrap();
        if opened.allow_discards { "new" } else { "old" }
    });
}

/// A backup of `image` as a medium.
fn backup_of(image: &Image) -> SimMedium {
    let mut bytes = Vec::new();
    backup_header(&sound(image), &mut bytes).unwrap();
    let mut backup = Image::zeroed(bytes.len() as u64);
    backup.write(&bytes, 0);
    sound(&backup)
}

#[test]
fn restoring_after_a_rekey_cut_anywhere_opens_with_the_old_or_the_new_master_key() {
    let backup = backup_of(&volume_under(1));
    let run = |medium: &dyn Medium| restore_header(&backup, medium, LEN, false);
    sweep(&volume_under(2), &run, &|image| match (opens(image, 1), opens(image, 2)) {
        (true, false) => "new",
        (false, true) => "old",
        other => panic!("{other:?}"),
    });
}

#[test]
fn erasure_cut_anywhere_never_claims_success_and_can_be_repeated() {
    let run = |medium: &dyn Medium| match erase(medium) {
        Err(_) if Copies::read(medium).choose().is_err() => {
            Err(VolumeError::RestoreRefused("there is nothing left to erase".to_owned()))
        }
        other => other.map(|report| assert!(report.no_header_found)),
    };
    let before = volume();
    let counted = sound(&before);
    run(&counted).unwrap();
    for step in 0..counted.steps() {
        let medium = SimMedium::new(before.clone(), Fault::PowerCut { step });
        assert!(run(&medium).is_err(), "step {step}: the verb says it succeeded");
        for (name, image) in medium.after_power_cut() {
            let again = sound(&image);
            let erased = run(&again);
            assert!(erased.is_ok() || !opens(&image, 1), "step {step}, {name}: {:?}", erased.err());
            assert!(!opens(&again.visible(), 1), "step {step}, {name}");
        }
    }
}

/// One and the same volume, whose header is under master key 1 or, after a rekey, under 2.
fn volume_under(number: u8) -> Image {
    use std::sync::LazyLock;
    static FIRST: LazyLock<Image> = LazyLock::new(volume);
    if number == 1 {
        return FIRST.clone();
    }
    changed(&FIRST, |medium| {
        let ((id, master), (new_id, new)) = (key(1), key(2));
        rewrap(medium, LEN, (id, &master), (new_id, &new)).map(drop).unwrap();
    })
}
