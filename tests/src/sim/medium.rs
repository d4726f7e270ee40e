//! A simulated [`Medium`] with one fault at one step.

use std::cell::RefCell;
use std::io;

use keywrap::medium::Medium;

use super::{Image, SECTOR};

/// What goes wrong, and at which step. Steps are writes and syncs, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The power fails during this step; every later call fails too.
    PowerCut {
        /// The step.
        step: usize,
    },
    /// This one step fails with an error; half of a failed write has been done. Later steps work again.
    Error {
        /// The step.
        step: usize,
        /// The error, such as `StorageFull`.
        kind: io::ErrorKind,
    },
    /// From this step on every write and sync fails with an error; of the first one half has been done.
    From {
        /// The step.
        step: usize,
        /// The error, such as `StorageFull`.
        kind: io::ErrorKind,
    },
    /// Every write and sync fails.
    ReadOnly,
}

/// A medium in memory. Reads see every write; a power cut may lose those that were not synced.
pub struct SimMedium(RefCell<State>);

struct State {
    durable: Image,
    visible: Image,
    unsynced: Vec<Write>,
    fault: Fault,
    steps: usize,
}

#[derive(Clone)]
struct Write {
    offset: u64,
    bytes: Vec<u8>,
}

impl SimMedium {
    /// A medium that holds `image` durably and will suffer `fault`.
    #[must_use]
    pub fn new(image: Image, fault: Fault) -> Self {
        Self(RefCell::new(State { durable: image.clone(), visible: image, unsynced: Vec::new(), fault, steps: 0 }))
    }

    /// The process that used the medium was killed, and the next one goes on with what the operating system has, on the medium
    /// or not; it will suffer `fault`, its steps counted from 0.
    #[must_use]
    pub fn after_kill(self, fault: Fault) -> Self {
        Self(RefCell::new(State { fault, steps: 0, ..self.0.into_inner() }))
    }

    /// How many writes and syncs there were.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.0.borrow().steps
    }

    /// What reads see now.
    #[must_use]
    pub fn visible(&self) -> Image {
        self.0.borrow().visible.clone()
    }

    /// What the medium may hold once power is back, each with a name: unsynced writes lost, whole, torn after any of
    /// several sectors, applied without the ones before them, or with every second sector missing.
    #[must_use]
    pub fn after_power_cut(&self) -> Vec<(String, Image)> {
        let state = self.0.borrow();
        let mut images = vec![("lost".to_owned(), state.durable.clone())];
        if state.unsynced.is_empty() {
            return images;
        }
        images.push(("whole".to_owned(), apply(&state.durable, &state.unsynced)));
        for (index, write) in state.unsynced.iter().enumerate() {
            let before = apply(&state.durable, &state.unsynced[..index]);
            for sectors in torn_at(write.bytes.len()) {
                let torn = Write { offset: write.offset, bytes: write.bytes[..sectors * SECTOR].to_vec() };
                images.push((format!("write {index} torn after {sectors} sectors"), apply(&before, &[torn])));
            }
            let alone = apply(&state.durable, &state.unsynced[index..=index]);
            images.push((format!("write {index} without the others"), alone));
        }
        for parity in [0, 1] {
            images.push((format!("every second sector from {parity}"), every_second(&state, parity)));
        }
        images
    }
}

/// After how many sectors a write of `len` bytes is torn: at both ends and in between.
fn torn_at(len: usize) -> Vec<usize> {
    let sectors = len / SECTOR;
    let mut cuts: Vec<_> = [1, 2, 7, 8, 9, sectors / 2, sectors.saturating_sub(1)].into();
    cuts.retain(|&cut| cut > 0 && cut < sectors);
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

fn apply(image: &Image, writes: &[Write]) -> Image {
    let mut image = image.clone();
    for write in writes {
        image.write(&write.bytes, write.offset);
    }
    image
}

fn every_second(state: &State, parity: usize) -> Image {
    let mut image = state.durable.clone();
    for write in &state.unsynced {
        let sectors = write.bytes.chunks(SECTOR).enumerate();
        for (index, sector) in sectors.filter(|(index, _)| index % 2 == parity) {
            image.write(sector, write.offset + (index * SECTOR) as u64);
        }
    }
    image
}

impl State {
    /// Counts a step and says what becomes of it.
    fn step(&mut self) -> io::Result<()> {
        let step = self.steps;
        self.steps += 1;
        match self.fault {
            Fault::PowerCut { step: cut } if step >= cut => Err(io::Error::other("power cut")),
            Fault::Error { step: at, kind } if step == at => Err(kind.into()),
            Fault::From { step: from, kind } if step >= from => Err(kind.into()),
            Fault::ReadOnly => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            _ => Ok(()),
        }
    }

    /// Whether the step just counted is the one that the power failed in: its write may still reach the medium.
    fn in_the_cut(&self) -> bool {
        matches!(self.fault, Fault::PowerCut { step } if step + 1 == self.steps)
    }

    /// Whether half of the write that has just failed was done.
    fn is_half_done(&self) -> bool {
        match self.fault {
            Fault::Error { .. } => true,
            Fault::From { step, .. } => step + 1 == self.steps,
            _ => false,
        }
    }

    fn write(&mut self, bytes: &[u8], offset: u64) {
        self.visible.write(bytes, offset);
        self.unsynced.push(Write { offset, bytes: bytes.to_vec() });
    }
}

impl Medium for SimMedium {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.borrow().visible.len())
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let state = self.0.borrow();
        if offset.saturating_add(buf.len() as u64) > state.visible.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        state.visible.read(buf, offset);
        Ok(())
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        if offset.saturating_add(buf.len() as u64) > state.visible.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let outcome = state.step();
        match outcome {
            Ok(()) => state.write(buf, offset),
            Err(_) if state.in_the_cut() => state.write(buf, offset),
            Err(_) if state.is_half_done() => {
                state.write(&buf[..buf.len() / SECTOR / 2 * SECTOR], offset);
            }
            Err(_) => {}
        }
        outcome
    }

    /// Two steps, as a write and a sync are; only these bytes are durable then.
    fn write_durably_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(buf, offset)?;
        let mut state = self.0.borrow_mut();
        state.step()?;
        state.durable.write(buf, offset);
        state.unsynced.pop();
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        state.step()?;
        state.durable = state.visible.clone();
        state.unsynced.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEN: u64 = 64 << 10;

    fn byte_at(image: &Image, offset: u64) -> u8 {
        let mut byte = [0];
        image.read(&mut byte, offset);
        byte[0]
    }

    #[test]
    fn a_cut_loses_only_what_was_not_synced() {
        let medium = SimMedium::new(Image::zeroed(LEN), Fault::PowerCut { step: 2 });
        medium.write_all_at(&[1; 4096], 0).unwrap();
        medium.sync().unwrap();
        medium.write_all_at(&[2; 4096], 4096).unwrap_err();
        medium.write_all_at(&[3; 4096], 8192).unwrap_err();
        let images = medium.after_power_cut();
        assert!(images.iter().all(|(_, image)| byte_at(image, 0) == 1 && byte_at(image, 8192) == 0));
        let survived: Vec<_> = images.iter().map(|(_, image)| byte_at(image, 4096)).collect();
        assert!(survived.contains(&0) && survived.contains(&2));
        assert!(images.iter().any(|(_, image)| byte_at(image, 4096) != byte_at(image, 8191)), "some are torn");
    }

    #[test]
    fn a_cut_in_a_sync_may_leave_any_of_the_writes_before_it() {
        let medium = SimMedium::new(Image::zeroed(LEN), Fault::PowerCut { step: 2 });
        medium.write_all_at(&[1; 512], 0).unwrap();
        medium.write_all_at(&[2; 512], 512).unwrap();
        medium.sync().unwrap_err();
        let left: Vec<_> = medium.after_power_cut().iter().map(|(_, i)| (byte_at(i, 0), byte_at(i, 512))).collect();
        for expected in [(0, 0), (1, 0), (0, 2), (1, 2)] {
            assert!(left.contains(&expected), "{expected:?}");
        }
    }

    #[test]
    fn an_error_that_stays_leaves_half_of_the_first_write_and_nothing_after_it() {
        let medium = SimMedium::new(Image::zeroed(LEN), Fault::From { step: 1, kind: io::ErrorKind::StorageFull });
        medium.write_all_at(&[1; 1024], 0).unwrap();
        medium.write_all_at(&[2; 1024], 1024).unwrap_err();
        medium.write_all_at(&[3; 1024], 2048).unwrap_err();
        assert_eq!(medium.sync().unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!([0, 1024, 1536, 2048].map(|offset| byte_at(&medium.visible(), offset)), [1, 2, 0, 0]);
    }

    #[test]
    fn a_durable_write_says_nothing_of_those_before_it() {
        let medium = SimMedium::new(Image::zeroed(LEN), Fault::None);
        medium.write_all_at(&[1; 512], 0).unwrap();
        medium.write_durably_at(&[2; 512], 512).unwrap();
        let medium = medium.after_kill(Fault::PowerCut { step: 0 });
        assert_eq!((byte_at(&medium.visible(), 0), byte_at(&medium.visible(), 512)), (1, 2));
        let left: Vec<_> = medium.after_power_cut().iter().map(|(_, i)| (byte_at(i, 0), byte_at(i, 512))).collect();
        assert!(
            left.contains(&(0, 2)) && left.contains(&(1, 2)) && left.iter().all(|(_, durable)| *durable == 2),
            "{left:?}"
        );
    }

    #[test]
    fn an_error_strikes_once_and_leaves_half_a_write() {
        let fault = Fault::Error { step: 0, kind: io::ErrorKind::StorageFull };
        let medium = SimMedium::new(Image::zeroed(LEN), fault);
        assert_eq!(medium.write_all_at(&[1; 1024], 0).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!((byte_at(&medium.visible(), 0), byte_at(&medium.visible(), 512)), (1, 0));
        medium.write_all_at(&[2; 1024], 0).unwrap();
    }
}
