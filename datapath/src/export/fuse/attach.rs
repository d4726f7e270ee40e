//! Mounting: root asks the kernel directly (mount(2), fuse(4)); anybody else asks `fusermount3`, which passes the device
//! back over a socket.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::io::{Errno, FdFlags};
use rustix::mount::{MountFlags, UnmountFlags};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SocketFlags, SocketType, recvmsg, socketpair,
};

/// The setuid program of Debian's package `fuse3`.
const HELPER: &str = "fusermount3";
/// Where the helper finds the number of the socket that wants the device.
const HELPER_SOCKET: &str = "_FUSE_COMMFD";

/// Why an unmount did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnmountError {
    /// The file is open: a loop device or a program uses it.
    #[error("the file is in use")]
    Busy,
    /// The system refused otherwise.
    #[error("cannot unmount: {0}")]
    System(#[from] io::Error),
}

/// Mounts a FUSE filesystem at `dir` and returns the device on which its requests come.
pub(super) fn mount(dir: &Path, source: &str, read_only: bool) -> io::Result<OwnedFd> {
    match mount_directly(dir, source, read_only) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => mount_by_helper(dir, source, read_only),
        outcome => outcome,
    }
}

fn mount_directly(dir: &Path, source: &str, read_only: bool) -> io::Result<OwnedFd> {
    let device = File::options().read(true).write(true).open("/dev/fuse")?;
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let data = format!(
        "fd={},rootmode=40000,user_id={uid},group_id={gid},default_permissions,subtype=sear",
        device.as_raw_fd()
    );
    let mut flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::NOATIME;
    flags.set(MountFlags::RDONLY, read_only);
    rustix::mount::mount(source, dir, "fuse", flags, CString::new(data)?.as_c_str())?;
    Ok(device.into())
}

fn mount_by_helper(dir: &Path, source: &str, read_only: bool) -> io::Result<OwnedFd> {
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    // The helper must inherit its end. This runs before the export has threads that start programs.
    rustix::io::fcntl_setfd(&theirs, FdFlags::empty())?;
    let access = if read_only { ",ro" } else { "" };
    let options = format!("default_permissions,nosuid,nodev,noexec,noatime,subtype=sear,fsname={source}{access}");
    let mut command = Command::new(HELPER);
    command.args(["-o", &options, "--"]).arg(dir).env(HELPER_SOCKET, theirs.as_raw_fd().to_string());
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let child = child.map_err(|error| helper_error(&error.to_string()))?;
    drop(theirs);
    let device = receive_device(&ours);
    let output = child.wait_with_output()?;
    match device? {
        Some(device) => Ok(device),
        None => Err(helper_error(String::from_utf8_lossy(&output.stderr).trim())),
    }
}

fn helper_error(said: &str) -> io::Error {
    io::Error::other(format!("{HELPER} (of the package fuse3) cannot mount: {said}"))
}

/// The descriptor that the helper sends with one byte; `None` when it ends without.
fn receive_device(socket: &OwnedFd) -> io::Result<Option<OwnedFd>> {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut into = [IoSliceMut::new(&mut byte)];
    recvmsg(socket, &mut into, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let mut received = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    Ok(received.next())
}

/// Unmounts what is mounted at `dir`; nothing is no error.
pub(super) fn unmount(dir: &Path) -> Result<(), UnmountError> {
    match rustix::mount::unmount(dir, UnmountFlags::NOFOLLOW) {
        // EINVAL: not a mount point (any more).
        Ok(()) | Err(Errno::INVAL | Errno::NOENT) => Ok(()),
        Err(Errno::BUSY) => Err(UnmountError::Busy),
        Err(Errno::PERM) => unmount_by_helper(dir),
        Err(error) => Err(UnmountError::System(error.into())),
    }
}

fn unmount_by_helper(dir: &Path) -> Result<(), UnmountError> {
    let output = Command::new(HELPER).args(["-u", "--"]).arg(dir).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match said {
        _ if output.status.success() => Ok(()),
        said if said.contains("busy") => Err(UnmountError::Busy),
        said if said.contains("not found") || said.contains("not mounted") => Ok(()),
        said => Err(UnmountError::System(io::Error::other(said))),
    }
}
