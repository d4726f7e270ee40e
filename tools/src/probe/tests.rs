//! Every entry from its magic alone; then what real programs write.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use tempfile::NamedTempFile;

use super::table::all;
use super::{Finding, examine, has_luks2};

const MIB: u64 = 1 << 20;

fn blank(len: u64) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    file.as_file().set_len(len).unwrap();
    file
}

fn found(path: &Path) -> Vec<Finding> {
    examine(&File::open(path).unwrap()).unwrap()
}

#[test]
fn every_entry_is_found_at_each_of_its_places() {
    let len = 32 * MIB + 512;
    for signature in all() {
        for offset in signature.places.iter().flat_map(|place| place.offsets(len)) {
            let file = blank(len);
            file.as_file().write_all_at(signature.magic, offset).unwrap();
            let findings = found(file.path());
            let named = findings.iter().any(|finding| finding.what == signature.what && finding.offset == offset);
            assert!(named, "{} at {offset}: {findings:?}", signature.what);
        }
    }
}

#[test]
fn zeroes_are_nothing_whatever_their_length() {
    for len in [0, 1, 511, 512, 4096, 16 * MIB, 17 * MIB, 40 * MIB + 1] {
        assert_eq!(found(blank(len).path()), [], "{len}");
    }
}

#[test]
fn a_single_byte_in_head_or_tail_is_found_where_it_is() {
    let len = 64 * MIB;
    for offset in [0, 1, 5000, 16 * MIB - 1, 63 * MIB, len - 1] {
        let file = blank(len);
        file.as_file().write_all_at(&[7], offset).unwrap();
        assert_eq!(found(file.path()), [Finding { offset, what: "data of an unknown kind" }]);
    }
}

#[test]
fn a_short_text_file_is_found() {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"notes\n").unwrap();
    assert_eq!(found(file.path()), [Finding { offset: 0, what: "data of an unknown kind" }]);
}

#[test]
fn either_luks2_header_alone_is_enough() {
    for (offset, magic) in
        [(0, b"LUKS\xba\xbe\0\x02"), (0x4000, b"SKUL\xba\xbe\0\x02"), (0x40_0000, b"SKUL\xba\xbe\0\x02")]
    {
        let file = blank(16 * MIB);
        file.as_file().write_all_at(magic, offset).unwrap();
        assert!(has_luks2(file.as_file()).unwrap(), "{offset}");
    }
    assert!(!has_luks2(blank(16 * MIB).as_file()).unwrap());
}

/// Runs a program on a blank image of `mib` MiB (`@` stands for its path) and expects it to be recognised as `what`.
fn made_by(command: &str, mib: u64, what: &str) {
    let file = blank(mib * MIB);
    let path = file.path().to_str().unwrap();
    let words: Vec<String> = command.split_whitespace().map(|word| word.replace('@', path)).collect();
    let run = Command::new(&words[0])
        .args(&words[1..])
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .output();
    let output = match run {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && std::env::var_os("CI").is_none() => {
            eprintln!("SKIPPED: {} is not installed", words[0]);
            return;
        }
        run => run.unwrap(),
    };
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    let findings = found(file.path());
    assert!(findings.iter().any(|finding| finding.what == what), "{command}: {findings:?}");
}

macro_rules! recognised {
    ($($test:ident: $command:literal, $mib:literal MiB => $what:literal;)*) => {
        $(#[test] fn $test() { made_by($command, $mib, $what); })*
    };
}

recognised! {
    ext2_is_recognised: "mkfs.ext2 -q -F @", 16 MiB => "an ext2/ext3/ext4 filesystem";
    ext3_is_recognised: "mkfs.ext3 -q -F @", 16 MiB => "an ext2/ext3/ext4 filesystem";
    ext4_is_recognised: "mkfs.ext4 -q -F @", 16 MiB => "an ext2/ext3/ext4 filesystem";
    xfs_is_recognised: "mkfs.xfs -q -f @", 320 MiB => "an XFS filesystem";
    btrfs_is_recognised: "mkfs.btrfs -q -f @", 128 MiB => "a Btrfs filesystem";
    f2fs_is_recognised: "mkfs.f2fs -q @", 64 MiB => "an F2FS filesystem";
    nilfs2_is_recognised: "mkfs.nilfs2 -q -f @", 160 MiB => "a NILFS2 filesystem";
    jfs_is_recognised: "mkfs.jfs -q @", 32 MiB => "a JFS filesystem";
    reiserfs_is_recognised: "mkfs.reiserfs -q -q -f @", 64 MiB => "a ReiserFS filesystem";
    minix_1_is_recognised: "mkfs.minix -1 @", 4 MiB => "a Minix filesystem";
    minix_2_is_recognised: "mkfs.minix -2 @", 4 MiB => "a Minix 2 filesystem";
    minix_3_is_recognised: "mkfs.minix -3 @", 4 MiB => "a Minix 3 filesystem";
    ntfs_is_recognised: "mkfs.ntfs -q -F -f @", 16 MiB => "an NTFS filesystem";
    exfat_is_recognised: "mkfs.exfat @", 16 MiB => "an exFAT filesystem";
    fat12_is_recognised: "mkfs.vfat -F 12 @", 4 MiB => "a FAT12 filesystem";
    fat16_is_recognised: "mkfs.vfat -F 16 @", 32 MiB => "a FAT16 filesystem";
    fat32_is_recognised: "mkfs.vfat -F 32 @", 64 MiB => "a FAT32 filesystem";
    udf_is_recognised: "mkfs.udf @", 16 MiB => "a UDF filesystem";
    iso9660_is_recognised: "genisoimage -quiet -o @ /etc/apt", 1 MiB => "an ISO 9660 image";
    squashfs_is_recognised: "mksquashfs /etc/apt @ -noappend -quiet -no-progress", 1 MiB => "a SquashFS image";
    erofs_is_recognised: "mkfs.erofs --quiet @ /etc/apt", 1 MiB => "an EROFS image";
    cramfs_is_recognised: "mkfs.cramfs /etc/apt @", 1 MiB => "a cramfs image";
    swap_is_recognised: "mkswap @", 4 MiB => "a swap area";
    swap_with_large_pages_is_recognised: "mkswap -p 65536 @", 4 MiB => "a swap area";
    luks1_is_recognised: "cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 --key-file /etc/passwd @", 16 MiB
        => "a LUKS1 volume";
    luks2_is_recognised: "cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /etc/passwd @", 32 MiB
        => "a LUKS2 volume";
    gpt_is_recognised: "sgdisk --clear --new=1 @", 8 MiB => "a GPT partition table";
    backup_gpt_is_recognised: "sgdisk --clear --new=1 @", 8 MiB => "a backup GPT partition table";
    mbr_is_recognised: "parted -s @ mklabel msdos mkpart primary 1 4", 8 MiB => "an MBR partition table or boot sector";
    apple_partition_map_is_recognised: "parted -s @ mklabel mac", 8 MiB => "an Apple partition map";
    bsd_disklabel_is_recognised: "parted -s @ mklabel bsd", 8 MiB => "a BSD disklabel";
    dm_verity_is_recognised: "veritysetup format /bin/true @", 1 MiB => "a dm-verity hash device";
    qcow_is_recognised: "qemu-img create -q -f qcow @ 64M", 1 MiB => "a qcow image";
    qcow2_is_recognised: "qemu-img create -q -f qcow2 @ 64M", 1 MiB => "a qcow2 image";
    old_qcow2_is_recognised: "qemu-img create -q -f qcow2 -o compat=0.10 @ 64M", 1 MiB => "a qcow2 image";
    qed_is_recognised: "qemu-img create -q -f qed @ 64M", 1 MiB => "a QED image";
    vmdk_is_recognised: "qemu-img create -q -f vmdk @ 64M", 1 MiB => "a VMDK image";
    vdi_is_recognised: "qemu-img create -q -f vdi @ 64M", 1 MiB => "a VDI image";
    vhd_is_recognised: "qemu-img create -q -f vpc @ 64M", 1 MiB => "a VHD image";
    fixed_vhd_is_recognised: "qemu-img create -q -f vpc -o subformat=fixed @ 8M", 1 MiB => "a VHD image";
    vhdx_is_recognised: "qemu-img create -q -f vhdx @ 64M", 1 MiB => "a VHDX image";
    parallels_is_recognised: "qemu-img create -q -f parallels @ 64M", 1 MiB => "a Parallels image";
}
