//! Volumes at places of their own.

use ekm_bridge::cluster::{HostPlaces, NewPassphrase, NewPlaced};
use ekm_bridge::records::Site;
use keywrap::secret::SecretBytes;

use super::*;

fn site(rig: &Rig, name: &str, is_detached: bool) -> Site {
    let dir = rig.dir.path().canonicalize().unwrap();
    let header = is_detached.then(|| dir.join(format!("{name}.header")));
    Site { data: dir.join(name), header }
}

fn wish(site: &Site) -> NewPlaced {
    let (size, label) = (Some(SIZE), Some("mine".to_owned()));
    NewPlaced { uuid: Uuid::new_v4(), site: site.clone(), size, sector_size: Some(512), label, overwrite: false }
}

/// A volume that is open.
fn placed(rig: &Rig, site: &Site, key: &Key) -> Uuid {
    let new = wish(site);
    assert_eq!(rig.host.check_ground(&new).unwrap(), *site);
    rig.host.place(new.uuid, site);
    rig.host.create_at(&new, key.wrapping()).unwrap();
    rig.host.open(new.uuid, "vol", Offer::ReadWrite, key.wrapping()).unwrap();
    new.uuid
}

#[test]
fn a_volume_anywhere_does_what_one_in_the_data_directory_does_and_its_file_stays() {
    for is_detached in [false, true] {
        let (rig, key, next) = (Rig::new(), Key::new(), Key::new());
        let site = site(&rig, "disk", is_detached);
        let uuid = placed(&rig, &site, &key);
        let found = rig.host.find(&site).unwrap();
        assert_eq!((found.uuid, found.size, found.sector_size, found.keys), (uuid, SIZE, 512, vec![key.0]));
        let mut client = rig.client("vol");
        write(&mut client, 4096, &[0xa5; 4096]).unwrap();
        rig.host.rewrap(uuid, key.wrapping(), next.wrapping()).unwrap();
        rig.host.grow(uuid, 2 * SIZE, next.wrapping()).unwrap();
        assert_eq!(rig.host.size(uuid), Some(2 * SIZE));
        let passphrase = SecretBytes::copy_from(b"correct horse");
        let new = NewPassphrase { passphrase, pbkdf2: true, replaces: false };
        rig.host.add_passphrase(uuid, next.wrapping(), &new).unwrap();
        let backup = rig.dir.path().join("backup");
        rig.host.back_up_header(uuid, &backup).unwrap();
        assert_eq!(read(&mut client, 4096, 4096), Ok(vec![0xa5; 4096]));
        assert_eq!(kind(rig.host.restore_header(uuid, &backup, false)), Some(HostErrorKind::InUse));
        rig.host.close(uuid).unwrap();
        rig.host.grow(uuid, 3 * SIZE, next.wrapping()).unwrap();
        rig.host.restore_header(uuid, &backup, false).unwrap();
        for _ in 0..2 {
            rig.host.erase(uuid).unwrap();
        }
        assert!(rig.host.is_present(uuid), "the file stays");
        assert_eq!(rig.host.key_ids(uuid).unwrap_err().kind, HostErrorKind::Absent);
        rig.host.restore_header(uuid, &backup, true).unwrap();
        rig.host.open(uuid, "vol", Offer::ReadOnly, next.wrapping()).unwrap();
        assert_eq!(read(&mut rig.client("vol"), 4096, 4096), Ok(vec![0xa5; 4096]));
    }
}

#[test]
fn what_is_there_is_not_overwritten_and_what_has_taken_its_place_is_not_taken_for_it() {
    let (rig, key) = (Rig::new(), Key::new());
    let site = site(&rig, "disk", false);
    fs::write(&site.data, b"precious").unwrap();
    assert_eq!(rig.host.check_ground(&wish(&site)).unwrap_err().kind, HostErrorKind::Occupied);
    fs::remove_file(&site.data).unwrap();
    let unknown = NewPlaced { size: None, ..wish(&site) };
    assert_eq!(rig.host.check_ground(&unknown).unwrap_err().kind, HostErrorKind::Unfit);
    let uuid = placed(&rig, &site, &key);
    rig.host.close(uuid).unwrap();
    fs::rename(&site.data, rig.dir.path().join("away")).unwrap();
    assert_eq!(kind(rig.host.erase(uuid)), Some(HostErrorKind::Absent), "it would come back");
    let other = placed(&rig, &site, &key);
    rig.host.close(other).unwrap();
    for refused in [
        rig.host.key_ids(uuid).map(drop),
        rig.host.open(uuid, "vol", Offer::ReadWrite, key.wrapping()),
        rig.host.rewrap(uuid, key.wrapping(), Key::new().wrapping()),
        rig.host.erase(uuid),
    ] {
        let error = refused.unwrap_err();
        assert!(error.kind == HostErrorKind::Absent && error.message.contains(&other.to_string()), "{error}");
    }
    assert_eq!(rig.host.key_ids(other).unwrap(), [key.0]);
}

#[test]
fn what_was_not_made_to_its_end_is_removed_and_nothing_else_is() {
    let (rig, key) = (Rig::new(), Key::new());
    let site = site(&rig, "disk", true);
    let new = wish(&site);
    rig.host.place(new.uuid, &site);
    let half_made = site.paths().map(|path| format!("{}.{}.new", path.display(), new.uuid)).collect::<Vec<_>>();
    half_made.iter().for_each(|path| fs::write(path, b"half").unwrap());
    let others = format!("{}.{}.new", site.data.display(), Uuid::new_v4());
    fs::write(&others, b"another's").unwrap();
    rig.host.discard(new.uuid).unwrap();
    assert!(half_made.iter().all(|path| !Path::new(path).exists()) && Path::new(&others).exists());
    half_made.iter().for_each(|path| fs::write(path, b"half").unwrap());
    rig.host.create_at(&new, key.wrapping()).unwrap();
    assert!(half_made.iter().all(|path| !Path::new(path).exists()) && site.paths().all(Path::exists));
    rig.host.discard(new.uuid).unwrap();
    assert_eq!(rig.host.key_ids(new.uuid).unwrap(), [key.0]);
}
