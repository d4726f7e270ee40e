//! The control device of ublk: one command at a time, on a small ring of its own with entries of 128 bytes.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::time::Duration;

use io_uring::register::Restriction;
use io_uring::types::{Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use rustix::io::Errno;

/// The control device.
const PATH: &str = "/dev/ublk-control";
/// How often a caller is asked whether it still wants to wait.
const ASK: Duration = Duration::from_millis(50);

type Ring = IoUring<squeue::Entry128, cqueue::Entry>;

/// A command, `struct ublksrv_ctrl_cmd` without the address of its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// The command's number.
    pub code: u32,
    /// The device's number, or all ones for "any".
    pub device: u32,
    /// `data[0]`.
    pub data: u64,
    /// How many of the buffer's first bytes are the path of the device, a zero byte at its end included.
    pub path_len: u16,
}

/// The open control device.
pub struct Control {
    ring: Ring,
    device: File,
}

impl Control {
    /// Opens the device.
    ///
    /// # Errors
    /// `NotFound` when the driver is not loaded, `PermissionDenied`, or the refusal of a ring.
    pub fn open() -> io::Result<Self> {
        let device = OpenOptions::new().read(true).write(true).open(PATH)?;
        Ok(Self { ring: ring()?, device })
    }

    /// Gives a command, with a buffer that it reads or writes, and waits for its end as long as `patience` says so;
    /// it is asked now and then. The buffer comes back.
    ///
    /// # Errors
    /// The kernel's answer; `TimedOut` when the caller's patience has ended, the command is then given up.
    pub fn call(
        &mut self,
        command: &Command,
        mut buffer: Vec<u8>,
        mut patience: impl FnMut() -> bool,
    ) -> io::Result<Vec<u8>> {
        let bytes = encode(command, &mut buffer)?;
        let entry = opcode::UringCmd80::new(Fd(self.device.as_raw_fd()), command.code).cmd(bytes).build();
        // SAFETY: the entry refers to the buffer, which this function keeps until the command has ended, or leaks; its
        // other fields are numbers.
        if unsafe { self.ring.submission().push(&entry) }.is_err() {
            return Err(io::Error::other("a command is already on its way"));
        }
        loop {
            let waited = self.wait();
            if let Some(ended) = self.ring.completion().next() {
                return match ended.result() {
                    0.. => Ok(buffer),
                    error => Err(io::Error::from_raw_os_error(-error)),
                };
            }
            if let Err(error) = waited.and_then(|()| if patience() { Ok(()) } else { Err(gave_up()) }) {
                // The kernel may still use the buffer.
                std::mem::forget(buffer);
                // The old ring goes, and the command with it.
                self.ring = ring()?;
                return Err(error);
            }
        }
    }

    /// Submits what is there, and waits for its end or a little while.
    fn wait(&mut self) -> io::Result<()> {
        let time = Timespec::from(ASK);
        match self.ring.submitter().submit_with_args(1, &SubmitArgs::new().timespec(&time)) {
            Ok(_) => Ok(()),
            Err(error) => match Errno::from_io_error(&error) {
                Some(Errno::TIME | Errno::INTR | Errno::AGAIN | Errno::BUSY) => Ok(()),
                _ => Err(error),
            },
        }
    }
}

/// A ring that can do nothing but commands.
fn ring() -> io::Result<Ring> {
    let ring: Ring = IoUring::builder().setup_r_disabled().build(2)?;
    ring.submitter().register_restrictions(&mut [Restriction::sqe_op(opcode::UringCmd80::CODE)])?;
    ring.submitter().register_enable_rings()?;
    Ok(ring)
}

/// `struct ublksrv_ctrl_cmd`: device (4 bytes), queue (2, all ones), length (2) and address (8) of the buffer, data
/// (8), length of the path (2), reserved.
fn encode(command: &Command, buffer: &mut [u8]) -> io::Result<[u8; 80]> {
    let len = u16::try_from(buffer.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let address = if buffer.is_empty() { 0 } else { buffer.as_mut_ptr() as u64 };
    let mut bytes = [0; 80];
    bytes[0..4].copy_from_slice(&command.device.to_ne_bytes());
    bytes[4..6].copy_from_slice(&u16::MAX.to_ne_bytes());
    bytes[6..8].copy_from_slice(&len.to_ne_bytes());
    bytes[8..16].copy_from_slice(&address.to_ne_bytes());
    bytes[16..24].copy_from_slice(&command.data.to_ne_bytes());
    bytes[24..26].copy_from_slice(&command.path_len.to_ne_bytes());
    Ok(bytes)
}

fn gave_up() -> io::Error {
    io::ErrorKind::TimedOut.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_lies_as_the_kernel_reads_it() {
        let mut buffer = vec![0; 64];
        let command = Command { code: 0, device: 7, data: 0x0102, path_len: 12 };
        let bytes = encode(&command, &mut buffer).unwrap();
        assert_eq!(u32::from_ne_bytes(bytes[0..4].try_into().unwrap()), 7);
        assert_eq!(bytes[4..6], [0xff, 0xff]);
        assert_eq!(u16::from_ne_bytes(bytes[6..8].try_into().unwrap()), 64);
        assert_eq!(u64::from_ne_bytes(bytes[8..16].try_into().unwrap()), buffer.as_ptr() as u64);
        assert_eq!(u64::from_ne_bytes(bytes[16..24].try_into().unwrap()), 0x0102);
        assert_eq!(u16::from_ne_bytes(bytes[24..26].try_into().unwrap()), 12);
        assert!(bytes[26..].iter().all(|byte| *byte == 0));
        assert!(encode(&command, &mut vec![0; 1 << 16]).is_err());
    }

    /// Another file than the control device refuses the command, and the ring lives on.
    #[test]
    fn a_refused_command_comes_back_as_an_error() {
        let mut control = Control { ring: ring().unwrap(), device: File::open("/dev/null").unwrap() };
        let command = Command { code: 0x8020_7502, device: 0, data: 0, path_len: 0 };
        for _ in 0..3 {
            // The null device takes every command and does nothing; a pipe knows none.
            assert_eq!(control.call(&command, vec![9; 8], || true).unwrap(), [9; 8]);
        }
        let (pipe, _other) = rustix::pipe::pipe().unwrap();
        control.device = File::from(pipe);
        for _ in 0..3 {
            let error = control.call(&command, Vec::new(), || true).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EOPNOTSUPP));
        }
    }
}
