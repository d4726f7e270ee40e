//! The signatures that are known, grouped by kind. Offsets are those of the formats' own documents and of blkid(8).

use std::io;

use keywrap::medium::Medium;

use super::Finding;
use super::signature::Place::{At, Every, FromAlignedEnd, FromEnd};
use super::signature::{Place, Signature};

/// Everything in the tables that `medium` carries.
pub(super) fn signatures(medium: &dyn Medium) -> io::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for signature in all() {
        findings.extend(signature.find(medium)?);
    }
    Ok(findings)
}

/// Every entry of every table.
pub(super) fn all() -> impl Iterator<Item = &'static Signature> {
    [LUKS2, ENCRYPTED, FILESYSTEMS, TABLES, POOLS, IMAGES].into_iter().flatten()
}

const fn entry(what: &'static str, places: &'static [Place], magic: &'static [u8]) -> Signature {
    Signature { what, places, magic }
}

/// Places of the second LUKS2 header: after a JSON area of 16 KiB to 4 MiB (LUKS2 spec, "Binary header").
const LUKS2_SECOND: &[Place] = &[
    At(0x4000),
    At(0x8000),
    At(0x1_0000),
    At(0x2_0000),
    At(0x4_0000),
    At(0x8_0000),
    At(0x10_0000),
    At(0x20_0000),
    At(0x40_0000),
];

/// Both magics of LUKS2.
pub(super) const LUKS2: &[Signature] = &[
    entry("a LUKS2 volume", &[At(0)], b"LUKS\xba\xbe\x00\x02"),
    entry("a LUKS2 volume whose first header is damaged", LUKS2_SECOND, b"SKUL\xba\xbe\x00\x02"),
];

const ENCRYPTED: &[Signature] = &[
    entry("a LUKS1 volume", &[At(0)], b"LUKS\xba\xbe\x00\x01"),
    entry("a BitLocker volume", &[At(3)], b"-FVE-FS-"),
    entry("a BitLocker To Go volume", &[At(3)], b"MSWIN4.1"),
    entry("a dm-verity hash device", &[At(0)], b"verity\0\0"),
    entry("a dm-integrity device", &[At(0)], b"integrt\0"),
];

const FILESYSTEMS: &[Signature] = &[
    // The superblock is at 1024, s_magic 56 bytes into it; ext2, ext3 and ext4 share it.
    entry("an ext2/ext3/ext4 filesystem", &[At(1024 + 56)], &[0x53, 0xef]),
    entry("an XFS filesystem", &[At(0)], b"XFSB"),
    entry("a Btrfs filesystem", &[At(0x1_0000 + 64)], b"_BHRfS_M"),
    entry("an F2FS filesystem", &[At(1024)], &[0x10, 0x20, 0xf5, 0xf2]),
    entry("a bcachefs filesystem or bcache device", &[At(4096 + 24)], &BCACHE),
    entry("a bcachefs filesystem", &[At(4096 + 24)], &BCACHEFS),
    entry("an NTFS filesystem", &[At(3)], b"NTFS    "),
    entry("an exFAT filesystem", &[At(3)], b"EXFAT   "),
    entry("a ReFS filesystem", &[At(3)], b"ReFS\0\0\0\0"),
    entry("a FAT32 filesystem", &[At(82)], b"FAT32   "),
    entry("a FAT16 filesystem", &[At(54)], b"FAT16   "),
    entry("a FAT12 filesystem", &[At(54)], b"FAT12   "),
    entry("an ISO 9660 image", &[At(32769)], b"CD001"),
    entry("a UDF filesystem", &[Every { first: 32769, step: 2048, count: 16 }], b"NSR02"),
    entry("a UDF filesystem", &[Every { first: 32769, step: 2048, count: 16 }], b"NSR03"),
    entry("a SquashFS image", &[At(0)], b"hsqs"),
    entry("an EROFS image", &[At(1024)], &[0xe2, 0xe1, 0xf5, 0xe0]),
    entry("a cramfs image", &[At(0), At(512)], &[0x45, 0x3d, 0xcd, 0x28]),
    entry("a romfs image", &[At(0)], b"-rom1fs-"),
    entry("a NILFS2 filesystem", &[At(1024 + 6)], &[0x34, 0x34]),
    entry("a JFS filesystem", &[At(0x8000)], b"JFS1"),
    entry("a ReiserFS filesystem", &[At(0x1_0000 + 52), At(0x2000 + 52)], b"ReIsEr"),
    entry("a Reiser4 filesystem", &[At(0x1_0000)], b"ReIsEr4"),
    entry("a Minix filesystem", &[At(1024 + 16)], &[0x7f, 0x13]),
    entry("a Minix filesystem", &[At(1024 + 16)], &[0x8f, 0x13]),
    entry("a Minix 2 filesystem", &[At(1024 + 16)], &[0x68, 0x24]),
    entry("a Minix 2 filesystem", &[At(1024 + 16)], &[0x78, 0x24]),
    entry("a Minix 3 filesystem", &[At(1024 + 24)], &[0x5a, 0x4d]),
    entry("an HFS+ filesystem", &[At(1024)], b"H+\0\x04"),
    entry("an HFSX filesystem", &[At(1024)], b"HX\0\x05"),
    entry("an APFS container", &[At(32)], b"NXSB"),
    entry("a UFS2 filesystem", &[At(0x1_0000 + 1372), At(0x4_0000 + 1372)], &[0x19, 0x01, 0x54, 0x19]),
    entry("a GFS2 filesystem", &[At(0x1_0000)], &[0x01, 0x16, 0x19, 0x70]),
    entry("an OCFS2 filesystem", &[At(1024), At(2048), At(4096), At(8192)], b"OCFSV2"),
    entry("a VMFS volume", &[At(0x10_0000)], &[0x0d, 0xd0, 0x01, 0xc0]),
];

/// The UUID that bcache and old bcachefs put in their superblock.
const BCACHE: [u8; 16] =
    [0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca, 0x82, 0x65, 0xf5, 0x7f, 0x48, 0xba, 0x6d, 0x81];
/// The UUID that bcachefs puts in its superblock.
const BCACHEFS: [u8; 16] =
    [0xc6, 0x85, 0x73, 0xf6, 0x66, 0xce, 0x90, 0xa9, 0xd9, 0x6a, 0x60, 0xcf, 0x80, 0x3d, 0xf7, 0xef];

const TABLES: &[Signature] = &[
    entry("a GPT partition table", &[At(512), At(4096)], b"EFI PART"),
    entry("a backup GPT partition table", &[FromEnd(512), FromEnd(4096)], b"EFI PART"),
    entry("an MBR partition table or boot sector", &[At(510)], &[0x55, 0xaa]),
    entry("an Apple partition map", &[At(512)], b"PM\0\0"),
    entry("a BSD disklabel", &[At(64), At(512)], &[0x57, 0x45, 0x56, 0x82]),
];

const POOLS: &[Signature] = &[
    entry("a swap area", &[At(4086), At(8182), At(16374), At(32758), At(65526)], b"SWAPSPACE2"),
    entry("a hibernation image in swap", &[At(4086)], b"S1SUSPEND"),
    entry("an LVM physical volume", &[Every { first: 24, step: 512, count: 4 }], b"LVM2 001"),
    entry("a Linux RAID member (metadata 1.1 or 1.2)", &[At(0), At(4096)], &[0xfc, 0x4e, 0x2b, 0xa9]),
    entry(
        "a Linux RAID member (metadata 1.0)",
        &[FromAlignedEnd { back: 8192, align: 4096 }],
        &[0xfc, 0x4e, 0x2b, 0xa9],
    ),
    entry(
        "a Linux RAID member (metadata 0.90)",
        &[FromAlignedEnd { back: 65536, align: 65536 }],
        &[0xfc, 0x4e, 0x2b, 0xa9],
    ),
    // An uberblock ring follows each label; its slots are at least 1 KiB (OpenZFS, "On-Disk Format", section 1.3).
    entry(
        "a ZFS pool member",
        &[Every { first: 0x2_0000, step: 1024, count: 128 }],
        &[0x0c, 0xb1, 0xba, 0, 0, 0, 0, 0],
    ),
    entry(
        "a ZFS pool member",
        &[Every { first: 0x2_0000, step: 1024, count: 128 }],
        &[0, 0, 0, 0, 0, 0xba, 0xb1, 0x0c],
    ),
    entry("a Stratis pool member", &[At(512 + 4), At(4608 + 4)], b"!Stra0tis\x86\xff\x02^\x41rh"),
    entry("a VDO volume", &[At(0)], b"dmvdo001"),
    entry("a Ceph BlueStore device", &[At(0)], b"bluestore block device"),
    entry("an Oracle ASM disk", &[At(32)], b"ORCLDISK"),
    entry("a DRBD device", &[FromAlignedEnd { back: 4096 - 60, align: 4096 }], &[0x83, 0x74, 0x02, 0x6d]),
    entry("a device-mapper snapshot store", &[At(0)], b"SnAp"),
];

const IMAGES: &[Signature] = &[
    entry("a qcow image", &[At(0)], b"QFI\xfb\0\0\0\x01"),
    entry("a qcow2 image", &[At(0)], b"QFI\xfb\0\0\0\x02"),
    entry("a qcow2 image", &[At(0)], b"QFI\xfb\0\0\0\x03"),
    entry("a QED image", &[At(0)], b"QED\0"),
    entry("a VMDK image", &[At(0)], b"KDMV"),
    entry("a VMDK image (ESX)", &[At(0)], b"COWD"),
    entry("a VMDK descriptor", &[At(0)], b"# Disk DescriptorFile"),
    entry("a VDI image", &[At(64)], &[0x7f, 0x10, 0xda, 0xbe]),
    entry("a VHD image", &[At(0), FromEnd(512)], b"conectix"),
    entry("a VHDX image", &[At(0)], b"vhdxfile"),
    entry("a Parallels image", &[At(0)], b"WithoutFreeSpace"),
    entry("a Parallels image", &[At(0)], b"WithouFreSpacExt"),
    entry("an Apple disk image", &[FromEnd(512)], b"koly"),
];
