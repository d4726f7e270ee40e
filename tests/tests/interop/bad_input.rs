//! Damage, misuse and bad luck, end to end: each is a clear error, loses nothing, and never panics.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use sear_tests::rig::{Cryptsetup, LoopDevice, LoopMode, Need, Run, Sear, filled_file, pattern, require};

#[test]
fn a_truncated_volume_is_refused_and_not_overwritten() {
    let (sear, disk) = volume();
    let whole = fs::read(&disk).expect("readable");
    for len in [1, 511, 4095, 4096, 8192, 16_384, 20_480, 32_768, 100_000, 1 << 20, (16 << 20) - 1] {
        fs::write(&disk, &whole[..len]).expect("the file can be written");
        let failure = sear.run().arg("up").arg(&disk).words("--size 1M").fails();
        assert!(failure.output.contains("disk"), "{len}: the message does not name the file: {}", failure.output);
        assert!(fs::read(&disk).expect("readable") == whole[..len], "a volume cut to {len} bytes was changed");
    }
    fs::write(&disk, &whole).expect("the file can be written");
    sear.up(&disk, [""; 0]).stop();
}

#[test]
fn a_file_that_holds_a_filesystem_is_not_overwritten() {
    if !require(&[Need::Tool("mkfs.ext4")]) {
        return;
    }
    let sear = Sear::new();
    let disk = sear.path("disk");
    File::create(&disk).and_then(|file| file.set_len(32 << 20)).expect("the file can be made");
    Run::new("mkfs.ext4").words("-q -F").arg(&disk).ok();
    let before = fs::read(&disk).expect("readable");
    for verb in [["up", "--size"], ["volume create", "--size"]] {
        let failure = sear.run().words(verb[0]).arg(verb[1]).arg("8M").arg(&disk).fails();
        assert_eq!(failure.code, Some(3), "{}", failure.output);
        assert!(failure.output.contains("ext"), "the message does not say what is there: {}", failure.output);
        assert!(fs::read(&disk).expect("readable") == before, "`{}` changed the filesystem", verb[0]);
    }
}

#[test]
fn another_installation_does_not_open_the_volume_and_says_which_key_is_missing() {
    let (sear, disk) = volume();
    let stranger = Sear::new();
    stranger.run().words("volume create --size 1M").arg(stranger.path("own")).ok();
    let failure = stranger.run().arg("up").arg(&disk).fails();
    assert_eq!(failure.code, Some(7), "{}", failure.output);
    let key_id = key_id(&sear, &disk);
    assert!(failure.output.contains(&key_id), "the message does not name {key_id}: {}", failure.output);
    sear.up(&disk, [""; 0]).stop();
}

#[test]
fn a_tampered_token_is_refused() {
    if !require(&[Need::Tool("cryptsetup")]) {
        return;
    }
    for (field, value, code) in [
        ("mac", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 4),
        ("salt", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 4),
        ("kdf", "none", 5),
        ("key_id", "00000000-0000-4000-8000-000000000000", 7),
    ] {
        let (sear, disk) = volume();
        let mut token = Cryptsetup::metadata(&disk)["tokens"]["0"].clone();
        token[field] = value.into();
        let file = sear.path("token.json");
        fs::write(&file, token.to_string()).expect("the file can be written");
        Run::new("cryptsetup").words("token remove --token-id 0").arg(&disk).ok();
        Run::new("cryptsetup").words("token import --token-id 0 --json-file").arg(&file).arg(&disk).ok();
        let failure = sear.run().arg("up").arg(&disk).fails();
        assert_eq!(failure.code, Some(code), "{field}: {}", failure.output);
    }
}

#[test]
fn a_volume_is_served_by_one_server_at_a_time() {
    let (sear, disk) = volume();
    let mut served = sear.up(&disk, [""; 0]);
    let failure = sear.run().arg("up").arg(&disk).fails();
    assert_eq!(failure.code, Some(6), "{}", failure.output);
    served.assert_alive();
    served.stop();
}

#[test]
fn another_installation_cannot_take_a_volume_that_is_served() {
    let (sear, disk) = volume();
    let mut served = sear.up(&disk, [""; 0]);
    let stranger = Sear::new();
    for words in ["volume erase --yes", "volume create --force --size 8M"] {
        let failure = stranger.run().words(words).arg(&disk).fails();
        assert_eq!(failure.code, Some(6), "{words}: {}", failure.output);
    }
    served.assert_alive();
    served.stop();
    sear.up(&disk, [""; 0]).stop();
}

#[test]
fn paths_that_cannot_be_volumes_are_refused() {
    let sear = Sear::new();
    fs::create_dir(sear.path("folder")).expect("the folder can be made");
    for path in [sear.path("folder"), sear.path("missing/disk"), PathBuf::from("/dev/null")] {
        let failure = sear.run().words("up --size 1M").arg(&path).fails();
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        assert!(failure.output.contains(&name), "the message does not name {name}: {}", failure.output);
    }
}

#[test]
fn a_backing_file_that_shrinks_gives_errors_and_keeps_the_server() {
    if !require(&[Need::Tool("qemu-io")]) {
        return;
    }
    let sear = Sear::new();
    let disk = sear.path("disk");
    let mut served = sear.up(&disk, ["--size", "8M"]);
    let io = |step: &str| Run::new("qemu-io").words("-f raw").args(["-c", step]).arg(served.uri());
    io("write -P 0x5a 0 8M").ok();
    OpenOptions::new().write(true).open(&disk).and_then(|file| file.set_len(18 << 20)).expect("it can shrink");
    io("read 4M 1M").fails();
    io("read -P 0x5a 0 1M").ok();
    served.assert_alive();
}

#[test]
#[ignore = "mounts as root"]
fn a_full_disk_in_the_middle_of_a_header_write_loses_nothing() {
    if !require(&[Need::Tmpfs]) {
        return;
    }
    let sear = Sear::new();
    let memory = SmallDisk::mount(&sear.path("memory"), "20M");
    let (disk, passphrase) = (memory.folder.join("disk"), sear.path("passphrase"));
    sear.run().words("volume create --size 1M").arg(&disk).ok();
    fs::write(&passphrase, "no room for this").expect("the file can be written");
    let ballast = memory.folder.join("ballast");
    memory.fill(&ballast);

    let failure = sear.run().words("volume passwd").arg(&disk).arg("--passphrase-file").arg(&passphrase).fails();
    assert!(failure.output.to_lowercase().contains("space"), "the message does not say why: {}", failure.output);
    sear.up(&disk, [""; 0]).stop();

    fs::remove_file(&ballast).expect("the file can be removed");
    sear.run().words("volume passwd").arg(&disk).arg("--passphrase-file").arg(&passphrase).ok();
    sear.up(&disk, [""; 0]).stop();
}

#[test]
#[ignore = "mounts as root"]
fn a_volume_that_does_not_fit_is_not_left_half_made() {
    if !require(&[Need::Tmpfs]) {
        return;
    }
    let sear = Sear::new();
    let memory = SmallDisk::mount(&sear.path("memory"), "128k");
    let disk = memory.folder.join("disk");
    let failure = sear.run().words("volume create --size 1M").arg(&disk).fails();
    assert!(failure.output.to_lowercase().contains("space"), "the message does not say why: {}", failure.output);
    assert!(!disk.exists(), "a file that is not a volume was left behind");
}

#[test]
#[ignore = "uses loop devices as root"]
fn read_only_media_are_served_read_only_or_refused() {
    if !require(&[Need::Root, Need::Loop, Need::Tool("losetup"), Need::Tool("nbdcopy")]) {
        return;
    }
    let (sear, disk) = volume();
    let plain = sear.path("plain");
    filled_file(&plain, 5, 1 << 20);
    let served = sear.up(&disk, [""; 0]);
    Run::new("nbdcopy").arg("--flush").arg(&plain).arg(served.uri()).ok();
    served.stop();

    let device = LoopDevice::attach(&disk, LoopMode::ReadOnly);
    let failure = sear.run().arg("up").arg(device.path()).limit(20).fails();
    assert!(failure.output.contains("--read-only"), "the message does not help: {}", failure.output);
    let served = sear.up(device.path(), ["--read-only"]);
    let copy = sear.path("copy");
    Run::new("nbdcopy").arg(served.uri()).arg(&copy).ok();
    assert!(fs::read(&copy).expect("readable") == fs::read(&plain).expect("readable"));
    served.stop();
}

#[test]
#[ignore = "mounts as root"]
fn a_disk_that_fills_up_fails_the_writes_and_keeps_the_rest() {
    if !require(&[Need::Tmpfs, Need::Tool("qemu-io")]) {
        return;
    }
    let sear = Sear::new();
    let memory = SmallDisk::mount(&sear.path("memory"), "24M");
    let disk = memory.folder.join("disk");
    let mut served = sear.up(&disk, ["--size", "64M"]);
    let io = |uri: &str, step: &str| Run::new("qemu-io").words("-f raw").args(["-c", step]).arg(uri);
    let uri = served.uri();
    Run::new("qemu-io").words("-f raw").args(["-c", "write -P 0x5a 0 1M", "-c", "flush"]).arg(&uri).ok();
    io(&uri, "write -P 0x66 32M 32M").fails();
    io(&uri, "read -P 0x5a 0 1M").ok();
    served.assert_alive();
    drop(served);

    let served = sear.up(&disk, ["--read-only"]);
    let output = io(&served.uri(), "read -P 0x5a 0 1M").arg("-r").ok();
    assert!(!output.contains("failed"), "{output}");
    served.stop();
}

#[test]
fn noise_in_the_header_is_never_a_panic() {
    let (sear, disk) = volume();
    let whole = fs::read(&disk).expect("readable");
    for seed in 0..16_u64 {
        fs::write(&disk, &whole).expect("the file can be written");
        let file = OpenOptions::new().write(true).open(&disk).expect("the volume can be opened");
        for copy in [0, 16_384] {
            file.write_all_at(&pattern(seed, 512), copy + seed * 512).expect("the volume can be written");
        }
        sear.run().arg("up").arg(&disk).fails();
        sear.run().words("volume inspect").arg(&disk).fails();
    }
}

fn volume() -> (Sear, PathBuf) {
    let sear = Sear::new();
    let disk = sear.path("disk");
    sear.run().words("volume create --size 1M").arg(&disk).ok();
    (sear, disk)
}

/// The id of the master key, as the volume's token states it.
fn key_id(sear: &Sear, disk: &Path) -> String {
    let text = sear.json(["volume".as_ref(), "inspect".as_ref(), disk.as_os_str()]).to_string();
    let (_, rest) = text.split_once(r#""key_id":""#).expect("inspect shows the key id");
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// A filesystem in memory with room for little.
struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    fn mount(folder: &Path, size: &str) -> Self {
        fs::create_dir(folder).expect("the folder can be made");
        Run::new("mount").words("-t tmpfs -o").arg(format!("size={size}")).arg("tmpfs").arg(folder).ok();
        Self { folder: folder.to_path_buf() }
    }

    /// Writes `ballast` until nothing fits any more.
    fn fill(&self, ballast: &Path) {
        let file = File::create_new(ballast).expect("the file can be made");
        let mut end = 0;
        while file.write_all_at(&[0x42; 4096], end).is_ok() {
            end += 4096;
        }
        assert!(end > 0, "{} was full before", self.folder.display());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Run::new("umount").arg("--lazy").arg(&self.folder).succeeds();
    }
}
