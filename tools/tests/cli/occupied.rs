//! Nothing that is there is ever overwritten.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};

use crate::rig::{Rig, tool};

#[test]
fn what_is_there_is_named_and_left_as_it_is() {
    let rig = Rig::new();
    let mut image = vec![0; 1 << 20];
    image[1080] = 0x53;
    image[1081] = 0xef;
    let ext = rig.file("ext", &image);
    let notes = rig.file("notes", b"dear diary");
    for verb in [&["up"][..], &["volume", "create"][..]] {
        for (path, what) in
            [(&ext, "an ext2/ext3/ext4 filesystem (at byte 1080)"), (&notes, "data of an unknown kind (at byte 0)")]
        {
            let before = fs::read(path).unwrap();
            let arguments = verb.iter().copied().chain([path.to_str().unwrap(), "--size", "8M"]);
            rig.run(arguments).fails(3, &["is not empty", what, "--force"]);
            assert_eq!(fs::read(path).unwrap(), before);
        }
    }
}

#[test]
fn force_destroys_what_is_there_and_no_signature_survives() {
    let rig = Rig::new();
    let path = rig.path("disk");
    fs::File::create(&path).unwrap().set_len(24 << 20).unwrap();
    let Some(ran) = tool("sgdisk", ["--clear", "--new=1", path.to_str().unwrap()]) else { return };
    ran.ok();
    rig.run(["volume", "create", path.to_str().unwrap()]).fails(3, &["GPT", "MBR"]);
    rig.run(["volume", "create", path.to_str().unwrap(), "--force"]).ok();
    let Some(ran) = tool("blkid", ["-p", path.to_str().unwrap()]) else { return };
    let seen = ran.ok();
    assert!(seen.contains("crypto_LUKS") && !seen.contains("PTTYPE"), "{seen}");
}

#[test]
fn a_volume_is_not_made_over_a_volume() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let before = fs::read(&path).unwrap();
    rig.run(["volume", "create", path.to_str().unwrap(), "--size", "8M"])
        .fails(3, &["is a LUKS2 volume already", "erase"]);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_volume_with_only_its_second_header_is_still_a_volume() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    fs::OpenOptions::new().write(true).open(&path).unwrap().write_all_at(&[0; 4096], 0).unwrap();
    rig.run(["volume", "create", path.to_str().unwrap()]).fails(3, &["is a LUKS2 volume already"]);
}

#[test]
fn what_cannot_be_a_volume_is_refused_with_a_reason() {
    let rig = Rig::new();
    rig.run(["up", "/dev/null", "--size", "8M"]).fails(2, &["/dev/null is a character device"]);
    let dir = rig.path("");
    rig.run(["up", dir.to_str().unwrap(), "--size", "8M"]).fails(2, &["a directory"]);
    let small = rig.file("small", &[0; 4096]);
    rig.run(["up", small.to_str().unwrap()]).fails(1, &["no room for data"]);
}

#[test]
fn a_new_file_is_private_and_sparse() {
    let rig = Rig::new();
    let path = rig.path("disk");
    rig.run(["volume", "create", path.to_str().unwrap(), "--size", "1G"]).ok();
    let meta = fs::metadata(&path).unwrap();
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    assert_eq!(meta.len(), (1 << 30) + (16 << 20));
    let allocated = std::os::unix::fs::MetadataExt::blocks(&meta) * 512;
    assert!(allocated < 4 << 20, "{allocated} bytes are allocated");
}

#[test]
fn an_empty_file_and_a_file_of_zeroes_become_volumes_in_place() {
    let rig = Rig::new();
    let empty = rig.file("empty", b"");
    rig.run(["volume", "create", empty.to_str().unwrap()]).fails(2, &["no size is given"]);
    rig.run(["volume", "create", empty.to_str().unwrap(), "--size", "8M"]).ok();
    assert_eq!(fs::metadata(&empty).unwrap().len(), 24 << 20);
    let zeroes = rig.path("zeroes");
    fs::File::create(&zeroes).unwrap().set_len(20 << 20).unwrap();
    rig.run(["volume", "create", zeroes.to_str().unwrap(), "--size", "8M"]).fails(2, &["4 MiB", "not 8 MiB"]);
    let made = rig.run(["--json", "volume", "create", zeroes.to_str().unwrap()]).json();
    assert_eq!(made["size"], 4 << 20);
}

#[test]
fn a_failure_removes_only_what_was_made() {
    let rig = Rig::new();
    let path = rig.path("disk");
    let occupied = rig.file("header", b"precious");
    let arguments =
        ["volume", "create", path.to_str().unwrap(), "--size", "8M", "--header", occupied.to_str().unwrap()];
    rig.run(arguments).fails(3, &["header is not empty"]);
    assert!(!path.exists());
    assert_eq!(fs::read(&occupied).unwrap(), b"precious");
    let long = "x".repeat(60);
    rig.run(["volume", "create", path.to_str().unwrap(), "--size", "8M", "--label", &long]).fails(2, &["label"]);
    assert!(!path.exists());
    rig.run(["volume", "create", path.to_str().unwrap(), "--size", "1000"]).fails(2, &["whole number of sectors"]);
    assert!(!path.exists());
}
