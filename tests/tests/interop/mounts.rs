//! `sear mount`, `sear umount` and `sear up --mount`: the whole chain, there and back.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use sear_tests::rig::{Fsx, Need, Run, Sear, pattern, require, wait_until};

pub(crate) const NEEDS: [Need; 4] = [Need::Root, Need::Fuse, Need::Loop, Need::Tool("losetup")];

#[test]
#[ignore = "mounts as root"]
fn random_operations_on_ext4_are_there_after_unmount_and_mount() {
    if !require(&NEEDS) {
        return;
    }
    exercise("128M", "ext4");
}

#[test]
#[ignore = "mounts as root"]
fn random_operations_on_xfs_are_there_after_unmount_and_mount() {
    if !require(&NEEDS) || !require(&[Need::Tool("mkfs.xfs")]) {
        return;
    }
    exercise("320M", "xfs");
}

#[test]
#[ignore = "mounts as root"]
fn mounting_twice_is_harmless_and_unmounting_twice_is_told() {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    let (disk, dir) = (sear.path("disk"), sear.path("dir"));
    mount(&sear, &["--size", "64M", "--mkfs", "ext4"]).ok();
    let again = mount(&sear, &["--mkfs", "ext4"]).ok();
    assert!(again.contains("already"), "{again}");
    let elsewhere = sear.run().arg("mount").arg(&disk).arg(sear.path("elsewhere")).fails();
    assert_eq!(elsewhere.code, Some(6), "{}", elsewhere.output);
    sear.run().arg("umount").arg(&dir).ok();
    assert_clean(&sear);
    let nothing = sear.run().arg("umount").arg(&dir).fails();
    assert_eq!(nothing.code, Some(2), "{}", nothing.output);
    assert!(nothing.output.contains("not a volume that is mounted"), "{}", nothing.output);
}

#[test]
#[ignore = "mounts as root"]
fn a_busy_filesystem_stays_mounted_and_its_user_is_named() {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    let dir = sear.path("dir");
    mount(&sear, &["--size", "64M", "--mkfs", "ext4"]).ok();
    let open = std::fs::File::create(dir.join("open")).unwrap();
    let busy = sear.run().arg("umount").arg(&dir).fails();
    assert_eq!(busy.code, Some(6), "{}", busy.output);
    let me = format!("process {}", std::process::id());
    assert!(busy.output.contains(&me), "{me} is not named: {}", busy.output);
    std::fs::write(dir.join("still"), b"mounted").unwrap();
    drop(open);
    // By the volume's name this time.
    sear.run().arg("umount").arg(sear.path("disk")).ok();
    assert_clean(&sear);
}

#[test]
#[ignore = "mounts as root"]
fn nothing_is_formatted_unasked_and_nothing_is_left_behind_by_a_refusal() {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    let missing = mount(&sear, &["--size", "64M"]).fails();
    assert_eq!(missing.code, Some(2), "{}", missing.output);
    assert!(missing.output.contains("--mkfs ext4"), "{}", missing.output);
    assert!(!sear.path("disk").exists(), "a volume was made before the question was asked");
    sear.run().words("volume create --size 64M").arg(sear.path("disk")).ok();
    let empty = mount(&sear, &[]).fails();
    assert_eq!(empty.code, Some(2), "{}", empty.output);
    assert_clean(&sear);
    mount(&sear, &["--mkfs", "ext4"]).ok();
    sear.run().arg("umount").arg(sear.path("dir")).ok();
    let other = mount(&sear, &["--mkfs", "xfs"]).fails();
    assert_eq!(other.code, Some(3), "{}", other.output);
    assert!(other.output.contains("ext4"), "{}", other.output);
    assert_clean(&sear);
    let wrong = mount(&sear, &["--size", "1G", "--mkfs", "ext4"]).fails();
    assert_eq!(wrong.code, Some(2), "the server's refusal is ours: {}", wrong.output);
    assert_clean(&sear);
}

#[test]
#[ignore = "mounts as root"]
fn a_read_only_mount_shows_the_files_and_takes_no_change() {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    let dir = sear.path("dir");
    mount(&sear, &["--size", "64M", "--mkfs", "ext4"]).ok();
    std::fs::write(dir.join("file"), pattern(5, 100_000)).unwrap();
    sear.run().arg("umount").arg(&dir).ok();
    let before = std::fs::read(sear.path("disk")).unwrap();
    mount(&sear, &["--read-only"]).ok();
    assert!(std::fs::read(dir.join("file")).unwrap() == pattern(5, 100_000), "the file has changed");
    assert!(std::fs::write(dir.join("other"), b"x").is_err());
    sear.run().arg("umount").arg(&dir).ok();
    assert!(std::fs::read(sear.path("disk")).unwrap() == before, "a read-only mount has changed the volume");
}

#[test]
#[ignore = "mounts as root"]
fn up_with_a_mount_ends_in_order_by_signal_and_by_an_unmount_of_others() {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    let dir = sear.path("dir");
    let mut up = up(&sear, &["--size", "64M", "--mkfs", "ext4"]);
    std::fs::write(dir.join("file"), pattern(6, 100_000)).unwrap();
    let pid = Pid::from_raw(i32::try_from(up.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    ends_well(&mut up);
    assert_clean(&sear);
    let mut up = self::up(&sear, &["--mkfs", "ext4"]);
    assert!(std::fs::read(dir.join("file")).unwrap() == pattern(6, 100_000), "the file has changed");
    Run::new("umount").arg(&dir).ok();
    ends_well(&mut up);
    assert_clean(&sear);
    let mut up = self::up(&sear, &[]);
    sear.run().arg("umount").arg(&dir).ok();
    ends_well(&mut up);
    assert_clean(&sear);
}

fn exercise(size: &str, kind: &str) {
    let sear = Sear::new();
    let dir = sear.path("dir");
    mount(&sear, &["--size", size, "--mkfs", kind]).ok();
    let mut fsx = Fsx::new(&dir.join("fsx"), 7);
    fsx.run(2_000);
    fsx.close();
    sear.run().arg("umount").arg(&dir).ok();
    assert_clean(&sear);
    mount(&sear, &[]).ok();
    fsx.compare();
    fsx.run(500);
    fsx.close();
    sear.run().arg("umount").arg(&dir).ok();
    assert_clean(&sear);
}

/// `sear mount` of the installation's one volume at its one directory.
pub(crate) fn mount(sear: &Sear, options: &[&str]) -> Run {
    sear.run().arg("mount").arg(sear.path("disk")).arg(sear.path("dir")).args(options)
}

/// No mount and no loop device is left of the installation.
pub(crate) fn assert_clean(sear: &Sear) {
    let run = sear.state_dir().join("run");
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("the mounts can be read");
    for path in [run.as_path(), &sear.path("dir")] {
        assert!(
            !mounts.contains(path.to_str().expect("the path is UTF-8")),
            "{} is still mounted:\n{mounts}",
            path.display()
        );
    }
    let loops = Run::new("losetup").words("--list --output BACK-FILE").ok();
    assert!(!loops.contains(run.to_str().expect("the path is UTF-8")), "a loop device is left:\n{loops}");
    let entries =
        std::fs::read_dir(&run).into_iter().flatten().map(|entry| entry.expect("the folder can be listed").path());
    let left: Vec<PathBuf> = entries.filter(|path| is_left_over(path)).collect();
    assert!(left.is_empty(), "left in the run directory: {left:?}");
}

fn is_left_over(path: &Path) -> bool {
    path.extension().is_some_and(|kind| kind == "mount" || kind == "fuse" || kind == "nbd" || kind == "sock")
}

/// `sear up --mount` of the same, once it is mounted.
fn up(sear: &Sear, options: &[&str]) -> Child {
    let line = sear.run().arg("up").arg(sear.path("disk")).arg("--mount").arg(sear.path("dir")).args(options);
    let mut command = Command::new(line.program());
    command.args(line.arguments()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    let mut child = command.spawn().expect("sear starts");
    let dir = sear.path("dir");
    wait_until("the volume to be mounted", || {
        assert!(child.try_wait().expect("the child can be asked").is_none(), "sear has ended");
        std::fs::read_to_string("/proc/self/mountinfo")
            .expect("the mounts can be read")
            .contains(dir.to_str().expect("the path is UTF-8"))
    });
    child
}

fn ends_well(child: &mut Child) {
    wait_until("sear to end", || child.try_wait().expect("the child can be asked").is_some());
    assert!(child.wait().expect("the child has ended").success());
}
