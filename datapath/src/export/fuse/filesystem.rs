//! The calls of the kernel (include/uapi/linux/fuse.h), answered for a directory with one file.
//!
//! | call | becomes |
//! |---|---|
//! | READ | `read_at` of what lies before the end |
//! | WRITE | `write_at` of what lies before the end; with O_DSYNC durable; from the end on ENOSPC |
//! | FSYNC, FLUSH (close) | `flush` |
//! | FALLOCATE, zero range | `write_zeroes` |
//! | FALLOCATE, punch hole | `write_zeroes` where the disk takes discards, else EOPNOTSUPP: see docs/fuse.md |
//! | GETATTR | the size that the disk has now |
//! | LSEEK | everything is data |

use std::cell::RefCell;
use std::ffi::OsStr;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fuser::{
    Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, InitFlags, KernelConfig,
    LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyLseek, ReplyOpen,
    ReplyStatfs, ReplyWrite, ReplyXattr, Request, WriteFlags,
};
use rustix::fs::{FallocateFlags, OFlags};

use super::server::failed;
use super::{FILE_NAME, MAX_BACKGROUND, MAX_TRANSFER};
use crate::buf::Buf;
use crate::disk::BlockingDisk;
use crate::limits::in_memory;

/// The file's number; the directory has [`INodeNo::ROOT`].
const FILE: INodeNo = INodeNo(2);

/// How long the kernel may believe an attribute: not at all, since a disk can be made larger at any time.
const TTL: Duration = Duration::ZERO;

/// What the kernel may do for us, if it can. Asked for one by one: a set is refused when one of it is missing.
const WANTED: [InitFlags; 3] =
    [InitFlags::FUSE_ASYNC_DIO, InitFlags::FUSE_PARALLEL_DIROPS, InitFlags::FUSE_HANDLE_KILLPRIV_V2];

/// `SEEK_DATA` and `SEEK_HOLE` of lseek(2).
const SEEK_DATA: i32 = 3;
const SEEK_HOLE: i32 = 4;

thread_local! {
    /// What reads are answered from: one buffer per thread, as long as the longest read so far.
    static ANSWER: RefCell<Buf> = RefCell::new(Buf::zeroed(0));
}

/// A disk as a directory with one file.
pub(super) struct Volume {
    disk: Arc<dyn BlockingDisk>,
    owner: (u32, u32),
    mounted: SystemTime,
}

impl Volume {
    pub(super) fn new(disk: Arc<dyn BlockingDisk>) -> Self {
        let owner = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        Self { disk, owner, mounted: SystemTime::now() }
    }

    fn len(&self) -> u64 {
        self.disk.geometry().len.0
    }

    /// How many bytes of a range lie before the end.
    fn inside(&self, offset: u64, len: u64) -> u64 {
        self.len().saturating_sub(offset).min(len)
    }

    fn attr(&self, ino: INodeNo) -> Option<FileAttr> {
        let geometry = self.disk.geometry();
        let (kind, perm, size, nlink) = match ino {
            INodeNo::ROOT => (FileType::Directory, 0o500, 0, 2),
            FILE => (FileType::RegularFile, if geometry.read_only { 0o400 } else { 0o600 }, geometry.len.0, 1),
            _ => return None,
        };
        let (uid, gid) = self.owner;
        let time = self.mounted;
        Some(FileAttr {
            ino,
            size,
            blocks: size.div_ceil(512),
            atime: time,
            mtime: time,
            ctime: time,
            crtime: time,
            kind,
            perm,
            nlink,
            uid,
            gid,
            rdev: 0,
            blksize: geometry.sector_size.bytes(),
            flags: 0,
        })
    }

    fn flush(&self, reply: ReplyEmpty) {
        match self.disk.flush() {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(failed("flush", 0, 0, &error)),
        }
    }

    /// Makes a range read as zeroes.
    fn zero(&self, offset: u64, len: u64, mode: FallocateFlags) -> Result<(), Errno> {
        let geometry = self.disk.geometry();
        let fits = self.inside(offset, len);
        if geometry.read_only {
            return Err(Errno::EROFS);
        }
        if fits < len && !mode.contains(FallocateFlags::KEEP_SIZE) {
            return Err(Errno::ENOSPC);
        }
        match mode - FallocateFlags::KEEP_SIZE {
            FallocateFlags::ZERO_RANGE => {}
            FallocateFlags::PUNCH_HOLE if geometry.discards => {}
            _ => return Err(Errno::EOPNOTSUPP),
        }
        self.disk.write_zeroes(offset, fits, false).map_err(|error| failed("write zeroes", offset, fits, &error))
    }
}

impl Filesystem for Volume {
    fn init(&mut self, _: &Request, kernel: &mut KernelConfig) -> io::Result<()> {
        for capability in WANTED {
            if kernel.add_capabilities(capability).is_err() {
                tracing::debug!(?capability, "this kernel's FUSE lacks a capability");
            }
        }
        // Both say how far the value had to be cut; what is left will do.
        kernel.set_max_write(MAX_TRANSFER).or_else(|most| kernel.set_max_write(most)).ok();
        kernel.set_max_background(MAX_BACKGROUND).ok();
        Ok(())
    }

    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let file = (parent == INodeNo::ROOT && name == FILE_NAME).then(|| self.attr(FILE)).flatten();
        match file {
            Some(attr) => reply.entry(&TTL, &attr, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.attr(ino) {
            Some(attr) => reply.attr(&TTL, &attr),
            None => reply.error(Errno::ENOENT),
        }
    }

    /// Times are taken and forgotten; the size is the disk's, and mode and owner stay.
    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _: Option<fuser::TimeOrNow>,
        _: Option<fuser::TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let changes_size = size.is_some_and(|size| size != self.len());
        match self.attr(ino) {
            None => reply.error(Errno::ENOENT),
            Some(_) if changes_size || mode.is_some() || uid.is_some() || gid.is_some() => reply.error(Errno::EPERM),
            Some(attr) => reply.attr(&TTL, &attr),
        }
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match ino {
            FILE => {
                let flags = FopenFlags::FOPEN_DIRECT_IO | FopenFlags::FOPEN_PARALLEL_DIRECT_WRITES;
                reply.opened(FileHandle(0), flags);
            }
            _ => reply.error(Errno::EISDIR),
        }
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let len = in_memory(self.inside(offset, size.into()));
        ANSWER.with_borrow_mut(|buf| {
            if buf.len() < len {
                *buf = Buf::zeroed(len);
            }
            let part = &mut buf.as_mut_slice()[..len];
            match self.disk.read_at(part, offset) {
                Ok(()) => reply.data(part),
                Err(error) => reply.error(failed("read", offset, len as u64, &error)),
            }
        });
    }

    fn write(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        flags: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let fits = self.inside(offset, data.len() as u64);
        if fits == 0 && !data.is_empty() {
            return reply.error(Errno::ENOSPC);
        }
        // As in write(2) with O_SYNC, which contains O_DSYNC.
        let fua = flags.0.cast_unsigned() & OFlags::DSYNC.bits() != 0;
        match self.disk.write_at(&data[..in_memory(fits)], offset, fua) {
            Ok(()) => reply.written(u32::try_from(fits).unwrap_or(u32::MAX)),
            Err(error) => reply.error(failed("write", offset, fits, &error)),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        if self.disk.geometry().read_only { reply.ok() } else { self.flush(reply) }
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        self.flush(reply);
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fallocate(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        match self.zero(offset, length, FallocateFlags::from_bits_retain(mode.cast_unsigned())) {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(error),
        }
    }

    fn lseek(&self, _: &Request, _: INodeNo, _: FileHandle, offset: i64, whence: i32, reply: ReplyLseek) {
        let len = self.len();
        let inside = u64::try_from(offset).is_ok_and(|offset| offset < len);
        match whence {
            SEEK_DATA if inside => reply.offset(offset),
            SEEK_HOLE if inside => reply.offset(i64::try_from(len).unwrap_or(i64::MAX)),
            SEEK_DATA | SEEK_HOLE => reply.error(Errno::ENXIO),
            _ => reply.error(Errno::EINVAL),
        }
    }

    fn readdir(&self, _: &Request, ino: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        if ino != INodeNo::ROOT {
            return reply.error(Errno::ENOTDIR);
        }
        let entries = [
            (INodeNo::ROOT, FileType::Directory, "."),
            (INodeNo::ROOT, FileType::Directory, ".."),
            (FILE, FileType::RegularFile, FILE_NAME),
        ];
        for (next, (ino, kind, name)) in (1..).zip(entries).skip(in_memory(offset)) {
            if reply.add(ino, next, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    /// A loop device takes its discard granularity from the block size here.
    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let geometry = self.disk.geometry();
        let sector = geometry.sector_size.bytes();
        reply.statfs(geometry.len.0 / u64::from(sector), 0, 0, 1, 0, sector, 255, sector);
    }

    /// `ENOSYS`: the kernel asks once and never again.
    fn getxattr(&self, _: &Request, _: INodeNo, _: &OsStr, _: u32, reply: ReplyXattr) {
        reply.error(Errno::ENOSYS);
    }

    fn listxattr(&self, _: &Request, _: INodeNo, _: u32, reply: ReplyXattr) {
        reply.error(Errno::ENOSYS);
    }
}
