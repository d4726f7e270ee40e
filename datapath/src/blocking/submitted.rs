//! A [`Disk`] that completes operations later, for callers that wait: every operation is submitted and waited for.

use std::sync::mpsc;

use super::BlockingDisk;
use crate::buf::Buf;
use crate::disk::{Command, Disk, Geometry, Io, IoError, Outcome};
use crate::limits::MAX_TRANSFER;

/// A disk whose operations are waited for.
pub struct Submitted<D>(pub D);

impl<D: Disk> Submitted<D> {
    fn wait(&self, command: Command, offset: u64, len: u64, buf: Buf) -> Result<Buf, IoError> {
        let (send, receive) = mpsc::sync_channel(1);
        self.0.submit(
            Io { command, offset, len, buf },
            Box::new(move |outcome| {
                // The receiver waits below until this has been sent.
                let _receiver_waits = send.send(outcome);
            }),
        );
        let lost = || IoError::Backing(std::io::Error::other("the disk has lost the operation"));
        let Outcome { buf, result } = receive.recv().map_err(|_| lost())?;
        result.map(|()| buf)
    }

    fn bare(&self, command: Command, offset: u64, len: u64) -> Result<(), IoError> {
        self.wait(command, offset, len, Buf::zeroed(0)).map(drop)
    }
}

impl<D: Disk> BlockingDisk for Submitted<D> {
    fn geometry(&self) -> Geometry {
        self.0.geometry()
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<(), IoError> {
        let mut at = offset;
        for part in buf.chunks_mut(MAX_TRANSFER as usize) {
            let filled = self.wait(Command::Read, at, part.len() as u64, Buf::zeroed(part.len()))?;
            part.copy_from_slice(filled.as_slice());
            at += part.len() as u64;
        }
        Ok(())
    }

    fn write_at(&self, buf: &[u8], offset: u64, fua: bool) -> Result<(), IoError> {
        let mut at = offset;
        for part in buf.chunks(MAX_TRANSFER as usize) {
            let mut payload = Buf::zeroed(part.len());
            payload.as_mut_slice().copy_from_slice(part);
            self.wait(Command::Write { fua }, at, part.len() as u64, payload)?;
            at += part.len() as u64;
        }
        Ok(())
    }

    fn write_zeroes(&self, offset: u64, len: u64, fua: bool) -> Result<(), IoError> {
        self.bare(Command::WriteZeroes { fua }, offset, len)
    }

    fn trim(&self, offset: u64, len: u64, fua: bool) -> Result<(), IoError> {
        self.bare(Command::Trim { fua }, offset, len)
    }

    fn flush(&self) -> Result<(), IoError> {
        self.bare(Command::Flush, 0, 0)
    }
}
